"""The races of `benchmarks restores`: each restores one thing in several ways, in turn."""
