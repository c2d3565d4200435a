"""What is done to a copy before it is measured, each of which has to be found and named."""
