"""Messages: how many, of what kind, how they ended, and how long they took."""
