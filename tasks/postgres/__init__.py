"""Ground floor: a PostgreSQL server, its programs, clusters, contents and replication."""
