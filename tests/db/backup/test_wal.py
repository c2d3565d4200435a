"""Pulling WAL: in portions, after the slot, and never past what is gone."""

import shutil
import tempfile
import time
from pathlib import Path

import pytest

from tasks.backup import pull, take, transfer, wal
from tasks.control import settings
from tasks.control.errors import Refused
from tasks.postgres import lsn, slot
from tasks.repository.stanza import open_stanza


def write(server, segments):
    """Write so many segments of WAL."""
    with server.connect() as connection:
        for _ in range(segments):
            connection.execute("select pg_logical_emit_message(false, 'test', repeat('x', 1000))")
            connection.execute("select pg_switch_wal()")


@pytest.fixture
def other():
    """Open a stanza with a cluster of its own, which a test may ruin."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-wal-"))
    home.chmod(0o755)
    stanza = open_stanza(settings.load(hl7ops_home=home))
    stanza.server()
    yield stanza
    stanza.home.primary.stop("immediate")
    shutil.rmtree(home)


def test_a_long_pull_goes_in_portions_and_tells_how_far_it_is(stanza, monkeypatch):
    """The slot moves on after each, so that a broken pull goes on where it was."""
    server = stanza.server()
    wal.pull(stanza, server, restart=True)
    write(server, 5)
    monkeypatch.setattr(transfer, "PORTION", 2)
    told = []
    done = wal.pull(stanza, server, progress=lambda *said: told.append(said))
    assert done.segments == 5
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert lsn.parse(slot.find(server).restart_lsn) == lsn.parse(done.reaches)
    assert not list((stanza.home.path / "spool").iterdir())


def test_an_idle_server_gives_nothing_new(stanza):
    """A pull a minute of a quiet night does not fill the repository."""
    server = stanza.server()
    wal.pull(stanza, server, restart=True)
    assert [wal.pull(stanza, server).segments for _ in range(3)] == [0, 0, 0]


def test_where_the_archive_stands_is_told_without_changing_anything(stanza):
    """What was written since is behind."""
    server = stanza.server()
    wal.pull(stanza, server, restart=True)
    assert wal.status(stanza, server).behind_bytes < 1 << 24
    write(server, 2)
    before = wal.status(stanza, server)
    assert before == wal.status(stanza, server)
    assert before.behind_bytes >= 2 << 24
    assert before.slot == "hl7ops_main"
    wal.pull(stanza, server)
    assert wal.status(stanza, server).behind_bytes < 1 << 24


def test_coverage_needs_no_server(stanza):
    """On the day of a disaster there is none."""
    wal.pull(stanza, stanza.server(), restart=True)
    expected = wal.coverage(stanza)
    stanza.home.primary.stop()
    assert wal.coverage(stanza) == expected
    assert expected[-1].count >= 1


def test_an_empty_repository_covers_nothing(other):
    """And its standing says so."""
    assert wal.coverage(other) == []
    told = wal.status(other, other.server())
    assert (told.slot, told.archived_to, told.behind_bytes) == (None, None, None)


def test_a_slot_that_has_lost_wal_is_refused_until_a_full_backup(other):
    """The server gave up keeping WAL; the pull says so, and the backup begins anew."""
    server = other.server()
    wal.pull(other, server, restart=True)
    with server.connect() as connection:
        connection.execute("alter system set max_slot_wal_keep_size = '16MB'")
        connection.execute("alter system set max_wal_size = '32MB'")
        connection.execute("alter system set min_wal_size = '32MB'")
        connection.execute("select pg_reload_conf()")
    deadline = time.monotonic() + 30
    while not slot.find(server).is_lost and time.monotonic() < deadline:
        write(server, 6)
        with server.connect() as connection:
            connection.execute("checkpoint")
    assert slot.find(server).is_lost
    with pytest.raises(Refused, match=r"replication slot has lost WAL; .*max_slot_wal_keep_size"):
        wal.pull(other, server)
    with server.connect() as connection:
        connection.execute("alter system set max_slot_wal_keep_size = '1GB'")
        connection.execute("select pg_reload_conf()")
    made = take.take(other)
    assert other.catalogue.get("latest") == made
    assert not slot.find(server).is_lost
    assert len(wal.coverage(other)) == 2


def test_the_repository_of_one_cluster_takes_no_wal_of_another(stanza, other):
    """The second cluster is told whose repository it is."""
    wal.pull(stanza, stanza.server(), restart=True)
    shared = open_stanza(
        other.settings.model_copy(update={"backup_dir": stanza.catalogue.storage.root})
    )
    (other.home.keys / "seal.key").unlink(missing_ok=True)
    with pytest.raises(Refused, match="the repository belongs to another cluster"):
        wal.pull(shared, other.server())


def test_an_empty_repository_in_the_place_of_a_known_one_is_refused(stanza, tmp_path):
    """A directory that is not mounted; the slot has not moved, so that nothing is lost."""
    wal.pull(stanza, stanza.server(), restart=True)
    before = slot.find(stanza.server()).restart_lsn
    elsewhere = stanza.settings.model_copy(update={"backup_dir": tmp_path / "unmounted"})
    lost = open_stanza(elsewhere)
    for deed in (lambda: wal.pull(lost, lost.server()), lambda: take.take(lost)):
        with pytest.raises(Refused, match=r"is empty, though WAL .* mounted"):
            deed()
    assert slot.find(stanza.server()).restart_lsn == before
    wal.pull(stanza, stanza.server())


def test_a_pull_waits_for_another_one_and_for_nothing_else(stanza, monkeypatch, tmp_path):
    """Where the repository cannot be written it is refused at once."""
    monkeypatch.setattr(pull, "PATIENCE_S", 3)
    hold = stanza.catalogue.storage.hold
    with (
        hold("wal", shared=False, stanza=stanza.name),
        pytest.raises(Refused, match="wal is in use"),
    ):
        wal.pull(stanza, stanza.server())
    (tmp_path / "file").touch()
    nowhere = stanza.settings.model_copy(update={"backup_dir": tmp_path / "file" / "below"})
    monkeypatch.setattr(pull, "PATIENCE_S", 1000)
    with pytest.raises(Refused, match="cannot be written"):
        wal.pull(open_stanza(nowhere), stanza.server())
