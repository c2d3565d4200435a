"""Ground floor: what is kept, as facts, objects and archived WAL."""
