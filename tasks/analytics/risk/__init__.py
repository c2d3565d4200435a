"""Risk of patients: an operational score with its parts, Charlson and LACE beside it."""
