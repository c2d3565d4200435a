"""Believable traffic of its own, determined by a seed, and a fast fill for benchmarks."""
