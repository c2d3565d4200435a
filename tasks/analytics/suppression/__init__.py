"""Keeps small counts of patients off a page, and attacks the page to see that they stay off."""
