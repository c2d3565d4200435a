"""Patients and their visits, as numbers."""
