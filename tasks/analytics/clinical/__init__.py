"""What patients are treated for and with, as numbers that no patient can be read from."""
