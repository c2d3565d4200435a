"""What runs, in what order: one runbook a file."""
