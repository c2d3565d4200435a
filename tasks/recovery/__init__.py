"""Reads the repository back: restore into a scratch cluster and prove it equal to the seal."""
