"""What a step connects to, stored and edited in the Prefect UI."""

from blocks.cluster import PostgresCluster
from blocks.repository import BackupRepository


__all__ = ["BackupRepository", "PostgresCluster"]
