"""A real PostgreSQL for the tests of this directory: one cluster a session, one database a test."""

import itertools
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasks.control import settings
from tasks.postgres import embedded


_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def home():
    """Open a home of its own, and take it away with whatever still runs in it."""
    path = Path(tempfile.mkdtemp(prefix="hl7ops-db-"))
    path.chmod(0o755)
    home = embedded.open_home(settings.load(hl7ops_home=path))
    yield home
    for cluster in (home.primary, home.control):
        cluster.stop("immediate")
    shutil.rmtree(path)
    if home.primary.sockets.parent != path:
        shutil.rmtree(home.primary.sockets, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster_server(home):
    """Start the operated cluster of the session."""
    return embedded.start_primary(home, "main")


@contextmanager
def database(cluster, name, template="template1"):
    """Make a database, and drop it whoever is still connected."""
    with cluster.connect(statement_timeout_s=60) as connection:
        connection.execute(f"create database {name} template {template}")
    try:
        yield cluster.database(name)
    finally:
        with cluster.connect(statement_timeout_s=60) as connection:
            connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def server(cluster_server):
    """Make an empty database."""
    with database(cluster_server, f"test_{next(_numbers)}") as made:
        yield made
