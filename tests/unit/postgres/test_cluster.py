"""Clusters of our own: where their sockets go, and what of their log is told."""

from pathlib import Path

import pytest

from tasks.control.errors import Refused
from tasks.postgres.cluster import SOCKET_PATH_LIMIT, Cluster, last_words, socket_directory
from tasks.postgres.owner import owner_of
from tasks.postgres.programs import embedded


def test_sockets_lie_in_the_home_where_the_path_is_short_enough():
    """The home keeps its things together."""
    assert socket_directory(Path("/srv/hl7ops"), 5432) == Path("/srv/hl7ops/run")


def test_sockets_of_a_deep_home_go_where_the_kernel_takes_them():
    """The path is short, and two homes do not meet there."""
    deep = Path("/srv", *["a-directory-of-a-home"] * 8)
    found = socket_directory(deep, 5432)
    assert len(str(found / ".s.PGSQL.5432.lock")) <= SOCKET_PATH_LIMIT
    assert found != socket_directory(deep / "other", 5432)
    assert found == socket_directory(deep, 5433)


def test_the_last_words_of_a_log_are_its_fatal_lines(tmp_path):
    """Details, which may quote rows, are left out."""
    path = tmp_path / "server.log"
    path.write_text(
        "2026-11-23 [1] LOG:  starting\n"
        "2026-11-23 [1] FATAL:  could not map memory\n"
        "2026-11-23 [1] DETAIL:  Key (identifier)=(4711) exists\n"
        "2026-11-23 [1] PANIC:  could not open a file\n"
        "2026-11-23 [1] FATAL:  the database system is shutting down\n"
    )
    assert last_words(path) == (
        "PANIC:  could not open a file | FATAL:  the database system is shutting down"
    )


@pytest.mark.parametrize("text", [None, "", "LOG:  all is well\n"])
def test_a_log_without_fatal_lines_says_so(tmp_path, text):
    """Nothing is made up."""
    path = tmp_path / "server.log"
    if text is not None:
        path.write_text(text)
    assert last_words(path) == "nothing in its log"


@pytest.fixture
def cluster(tmp_path):
    """Return a cluster that is not there."""
    return Cluster(tmp_path / "data", tmp_path / "run", 5432, embedded())


def test_a_directory_that_holds_something_is_not_made_a_cluster(cluster):
    """What lies there stays."""
    cluster.data.mkdir()
    (cluster.data / "precious").write_text("x")
    with pytest.raises(Refused, match="the data directory is not empty"):
        cluster.create(owner_of(cluster.data), {})
    assert (cluster.data / "precious").read_text() == "x"


@pytest.mark.parametrize("text", ["", "999999999\n", "1\n"])
def test_a_stale_file_of_a_process_is_not_a_running_server(cluster, text):
    """After a crash its number may be nobody's, or somebody else's."""
    cluster.data.mkdir()
    (cluster.data / "postmaster.pid").write_text(text)
    assert cluster.pid() is None
    assert cluster.stop() is False
