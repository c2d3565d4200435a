"""Other tools for the same work, each on a cluster of its own, behind one interface."""
