"""A copy of a cluster at a point, made aside, recovered, and put in its place."""
