"""What a recovery will do: where a target lies in the WAL, and how to get there."""
