"""Rehearsals: a random backup and a random point of the window, restored, proven, and damaged."""
