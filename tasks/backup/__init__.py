"""Fills the repository: base backups, seals, WAL, retention."""
