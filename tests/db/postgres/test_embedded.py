"""The embedded clusters: made once, found again, closed to others, and honest about failure."""

import os
import shutil
import stat
import tempfile
from pathlib import Path

import psutil
import pytest

from tasks.control import settings
from tasks.control.errors import OpsError, Refused
from tasks.postgres import embedded


@pytest.fixture
def home():
    """Open a home that a test may ruin."""
    path = Path(tempfile.mkdtemp(prefix="hl7ops-embedded-"))
    path.chmod(0o755)
    opened = embedded.open_home(settings.load(hl7ops_home=path))
    yield opened
    opened.primary.stop("immediate")
    shutil.rmtree(path)


def show(server, name):
    """Return a setting of a server."""
    with server.connect() as connection:
        return connection.execute(f"show {name}").fetchone()[0]


def test_a_cluster_is_made_on_first_use_and_found_again(home):
    """With what was in it."""
    server = embedded.start_primary(home, "main")
    with server.connect() as connection:
        connection.execute("create table kept (n int)")
    home.primary.stop()
    assert home.primary.pid() is None
    again = embedded.start_primary(home, "main")
    with again.connect() as connection:
        connection.execute("select * from kept")
    first = home.primary.pid()
    embedded.start_primary(home, "main")
    assert home.primary.pid() == first


def test_the_number_of_another_cluster_is_not_taken_for_ones_own(home):
    """After a crash of the machine two clusters may find each other's numbers in their files."""
    embedded.start_primary(home, "main")
    home.control.data.mkdir(parents=True, mode=0o700)
    stale = home.control.data / "postmaster.pid"
    stale.write_text((home.primary.data / "postmaster.pid").read_text())
    assert home.control.pid() is None
    assert home.control.stop() is False
    assert home.primary.pid() is not None
    shutil.rmtree(home.control.data)


def test_the_operated_cluster_is_set_up_for_backups_and_for_silence(home):
    """Checksums, WAL for replicas, and no row in its log."""
    server = embedded.start_primary(home, "main")
    assert show(server, "data_checksums") == "on"
    assert show(server, "wal_level") == "replica"
    assert show(server, "listen_addresses") == ""
    assert show(server, "log_min_error_statement") == "panic"
    run(server, "create table t (name text unique)")
    run(server, "insert into t values ('Jonathan-4711')")
    with pytest.raises(OpsError):
        run(server, "insert into t values ('Jonathan-4711')")
    assert "4711" not in home.primary.log.read_text()


def run(server, statement):
    """Run a statement."""
    with server.connect() as connection:
        connection.execute(statement)


def test_nobody_else_may_enter_its_directories(home):
    """Data and socket."""
    embedded.start_primary(home, "main")
    for path in (home.primary.data, home.primary.sockets):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        assert path.stat().st_uid == home.owner.uid


def test_a_server_does_not_run_as_root(home):
    """Root lends it another user."""
    embedded.start_primary(home, "main")
    process = psutil.Process(home.primary.pid())
    assert process.uids().real == home.owner.uid != 0 or os.geteuid() != 0


def test_a_server_that_does_not_start_says_its_last_words(home):
    """And is not left half running."""
    embedded.start_primary(home, "main")
    home.primary.stop()
    (home.primary.data / "postgresql.auto.conf").write_text("shared_buffers = '1PB'\n")
    with pytest.raises(OpsError, match=r"the server did not start; seen: FATAL.*next: read .*log"):
        embedded.start_primary(home, "main")
    assert home.primary.pid() is None


def test_a_making_that_fails_leaves_nothing(home):
    """So that the next try begins anew."""
    with pytest.raises(OpsError, match="initdb failed"):
        broken(home).create(home.owner, {})
    assert not home.primary.data.exists()


def broken(home):
    """Return the home's cluster with an initdb that fails."""
    tools = home.path / "tools"
    tools.mkdir(mode=0o755)
    (tools / "initdb").write_text("#!/bin/sh\necho no >&2; exit 1\n")
    (tools / "initdb").chmod(0o755)
    cluster = home.primary
    return type(cluster)(cluster.data, cluster.sockets, cluster.port, tools)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has doors that others cannot pass")
def test_a_home_that_the_server_cannot_enter_is_refused_where_it_was_chosen(tmp_path):
    """The error names the user and a place that would do."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(Refused, match=r"cannot enter the home; .*set HL7OPS_HOME, for example"):
        embedded.open_home(settings.load(hl7ops_home=closed / "home"))


def test_a_deep_home_has_its_socket_elsewhere(home):
    """The kernel takes no path of more than 107 bytes for one."""
    deep = home.path.joinpath(*["a-directory-with-a-long-name"] * 4)
    deep.mkdir(parents=True)
    for each in (deep, *deep.parents):
        if home.path in each.parents:
            each.chmod(0o755)
    opened = embedded.open_home(settings.load(hl7ops_home=deep))
    server = embedded.start_primary(opened, "main")
    assert show(server, "server_version_num") >= "180000"
    assert opened.primary.sockets.parent == Path("/tmp")  # noqa: S108 - it is where they go
    opened.primary.stop("immediate")
    shutil.rmtree(opened.primary.sockets)


def test_an_address_of_ones_own_is_used_as_it_is(home):
    """Nothing is started then."""
    known = settings.load(
        hl7ops_home=home.path, database_url="postgresql://ops@db.example/hl7", hl7ops_stanza="x"
    )
    server = embedded.operated(known, home)
    assert (server.stanza, server.parameters()["host"]) == ("x", "db.example")
    assert home.primary.pid() is None


@pytest.mark.parametrize("address", ["postgresql://a b@c/d", "mysql://x", "hello"])
def test_an_address_that_is_none_is_refused_without_quoting_it(home, address):
    """It may hold a password."""
    known = settings.load(hl7ops_home=home.path, database_url=address)
    with pytest.raises(Refused, match="DATABASE_URL is not an address") as told:
        embedded.operated(known, home)
    assert address not in str(told.value)
