"""The platform's database: tables, partitions, and the contract views that others read."""
