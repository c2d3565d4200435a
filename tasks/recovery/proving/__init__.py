"""A backup is proven: restored into a scratch cluster and held against its seal."""
