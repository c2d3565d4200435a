"""The gate before publication: frames and pages are validated, and what fails stays unpublished."""
