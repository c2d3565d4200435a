"""Taking a backup: alone, whole, and with all of its WAL."""

import threading
import time

import pytest

from tasks.backup import take, wal
from tasks.control.errors import Corrupt, Refused
from tasks.postgres import slot
from tasks.postgres.lock import alone
from tasks.repository.wal import intervals


def test_a_backup_is_listed_with_all_that_it_is_made_of(stanza):
    """The catalogue names its objects, its positions, its seal and its phases."""
    made = take.take(stanza)
    assert stanza.catalogue.get("latest") == made
    assert [item.name for item in made.objects] == [
        "base.tar.zst",
        "backup_manifest.zst",
        "measure.json.zst",
    ]
    assert made.bytes_source > made.bytes_stored > 1_000_000
    assert list(made.phases) == ["reserve WAL", "copy", "seal", "archive WAL"]
    assert stanza.catalogue.fingerprint(made).tables[0].name == "hl7.public.counted"


def test_a_second_backup_is_refused_by_name(stanza):
    """Both the repository and the server know that one is running."""
    with alone(stanza.server(), "backup"), pytest.raises(Refused, match="another backup"):
        take.take(stanza)
    hold = stanza.catalogue.storage.hold
    with (
        hold("backup", shared=False, stanza="main"),
        pytest.raises(Refused, match="backup is in use"),
    ):
        take.take(stanza)


def test_a_backup_that_breaks_leaves_nothing_behind(stanza):
    """What was stored of it is gone when the error is told."""
    before = stanza.catalogue.storage.objects("main/backups/")

    def meddle(phase, _done, _every):
        if phase == "copy":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take.take(stanza, progress=meddle)
    assert stanza.catalogue.storage.objects("main/backups/") == before
    assert stanza.catalogue.leftovers() == []


def test_a_backup_whose_wal_does_not_arrive_does_not_count(stanza):
    """Where somebody removes archived WAL meanwhile, the take fails and names the segments."""
    root = stanza.catalogue.storage.root
    stop = threading.Event()

    def remove():
        while not stop.is_set():
            for path in root.glob("main/wal/*/*/*.zst"):
                path.unlink(missing_ok=True)
            time.sleep(0.001)

    known = [entry.id for entry in stanza.catalogue.entries()]
    thread = threading.Thread(target=remove)
    thread.start()
    try:
        with pytest.raises(Corrupt, match="did not reach the repository; seen: missing: 0000"):
            take.take(stanza)
    finally:
        stop.set()
        thread.join()
    assert [entry.id for entry in stanza.catalogue.entries()] == known


def test_a_pull_archives_what_is_new_and_the_slot_follows(stanza):
    """Twice the same is once; the slot stands where the archive ends."""
    server = stanza.server()
    wal.pull(stanza, server, restart=True)
    with server.connect() as connection:
        connection.execute("insert into counted (n) values (1)")
    first = wal.pull(stanza, server)
    assert first.segments >= 1
    assert wal.pull(stanza, server).segments == 0
    assert slot.find(server).restart_lsn == first.reaches
    status = wal.status(stanza, server)
    assert status.behind_bytes == 0


def test_a_gap_is_named_and_a_full_backup_begins_a_new_interval(stanza):
    """A slot that was dropped has let WAL go; the pull does not paper over it."""
    server = stanza.server()
    wal.pull(stanza, server)
    missing = wal.coverage(stanza)[-1].last.next().name
    with server.connect() as connection:
        connection.execute("select pg_drop_replication_slot('hl7ops_main')")
        for _ in range(2):
            connection.execute("insert into counted (n) values (1)")
            connection.execute("select pg_switch_wal()")
        while missing in slot.present(server):  # until it is summarized
            connection.execute("checkpoint")
            time.sleep(0.1)
    with pytest.raises(Refused, match="WAL is missing between the archive and the server"):
        wal.pull(stanza, server)
    take.take(stanza)
    kept = wal.open_archive(stanza, server).kept()
    assert len(intervals(kept)) >= 2
    assert wal.pull(stanza, server).segments >= 0


def test_another_cluster_does_not_write_into_this_repository(stanza):
    """A claim by a foreign system identifier is refused with both numbers."""
    with pytest.raises(Refused, match="seen: system identifier 42"):
        stanza.catalogue.claim("42", 1 << 24)


def test_tables_of_users_are_not_taken_for_those_of_postgresql(stanza):
    """Somebody's own `pg_class`, found first, tells nothing of the database."""
    with stanza.server().connect() as connection:
        connection.execute("create table public.pg_class (relname text, n int)")
        connection.execute("alter database hl7 set search_path = public, pg_catalog")
    try:
        made = take.take(stanza)
    finally:
        with stanza.server().connect() as connection:
            connection.execute("alter database hl7 reset search_path")
            connection.execute("drop table public.pg_class")
    assert made.seal.mode == "locked"
    assert "hl7.public.pg_class" in {
        table.name for table in stanza.catalogue.fingerprint(made).tables
    }
