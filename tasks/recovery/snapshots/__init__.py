"""A snapshot, or chosen databases and tables of it, loaded into a cluster of their own."""
