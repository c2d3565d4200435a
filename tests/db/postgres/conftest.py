"""A server of Debian's PostgreSQL 15, beside the one that comes with the project."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tasks.postgres.cluster import Cluster, socket_directory
from tasks.postgres.owner import service_owner


DEBIAN = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="module")
def fifteen():
    """Start it, with a database of its own."""
    assert (DEBIAN / "postgres").exists(), "the package postgresql-15 is missing"
    folder = Path(tempfile.mkdtemp(prefix="hl7ops-fifteen-"))
    folder.chmod(0o755)
    cluster = Cluster(folder / "data", socket_directory(folder, 5442), 5442, DEBIAN)
    cluster.create(service_owner(), {})
    cluster.start()
    with cluster.server("old").connect() as connection:
        connection.execute("create database hl7")
    yield cluster.server("old", "hl7")
    cluster.stop("immediate")
    shutil.rmtree(folder)
