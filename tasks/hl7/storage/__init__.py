"""Batches of read messages into the platform's tables."""
