"""One database of a live cluster is set back: restored aside, loaded beside, swapped, undone."""
