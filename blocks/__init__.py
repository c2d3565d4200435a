"""What a step connects to, stored and edited in the Prefect UI."""
