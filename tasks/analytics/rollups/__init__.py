"""What is counted once for all who ask: messages and visits by the hour."""
