"""What a person reads: pages, tables and charts; only `publish` touches Prefect."""
