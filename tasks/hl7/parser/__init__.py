"""Bytes to messages to what they say: framing, fields, envelope, findings."""
