"""Ground floor: settings, errors, the home directory and the clock."""
