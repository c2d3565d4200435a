"""The moment of a seal: what its snapshots show is just what the WAL holds up to it."""

import itertools
import threading
from contextlib import contextmanager

import pytest
from tasks.repository.measure import tables_of

from tasks.backup import moment
from tasks.control.errors import Transient
from tasks.postgres import contents


@pytest.fixture
def watch(stanza):
    """Connect to every database of the stanza's cluster."""
    with moment.watching(stanza.server()) as watching:
        yield watching


def caught(watch, attempts=moment.ATTEMPTS):
    """Catch a moment."""
    return moment.catch(watch, lambda: tables_of(watch.acting), "moment-test", attempts)


def counted(watch):
    """Count the rows of a table in the snapshot that is kept."""
    (row,) = watch.watching["hl7"].execute("select count(*) from public.counted")
    return row[0]


@contextmanager
def going_on(work):
    """Let something happen over and over while the block runs."""
    stop = threading.Event()

    def repeat():
        while not stop.is_set():
            work()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_without_writers_the_first_lock_is_had(watch):
    """And nobody waits for it."""
    found, tables = caught(watch)
    assert (found.mode, found.attempts) == ("locked", 1)
    assert "public.counted" in [table.full_name for table in tables["hl7"]]
    assert set(found.snapshots) == set(tables)


def test_what_is_written_after_the_moment_is_not_seen(stanza, watch):
    """The snapshots stay as they were while the digests are computed."""
    caught(watch)
    before = counted(watch)
    with stanza.server().connect() as writer:
        writer.execute("insert into counted (n) select * from generate_series(1, 100)")
    assert counted(watch) == before


def test_the_locks_are_gone_when_the_moment_is_caught(stanza, watch):
    """Writers go on while tables are digested."""
    caught(watch)
    with stanza.server().connect(lock_timeout_ms=200) as writer:
        writer.execute("insert into counted (n) values (1)")
        writer.execute("alter table counted set (fillfactor = 90)")


def test_all_databases_together_are_locked_within_the_time_that_a_writer_may_wait(
    watch, monkeypatch
):
    """The time is one for all of them; once it is used up, no further table is locked."""
    monkeypatch.setattr(moment, "LOCK_TIMEOUT_MS", 0)
    found, _ = caught(watch, attempts=2)
    assert found.mode == "quiet"


def test_no_attempt_at_the_locks_makes_it_quiet_or_bounded(stanza, watch):
    """The surest way that can be had is taken."""
    with stanza.server().connect(autocommit=False) as writer:
        writer.execute("insert into counted (n) values (1)")
        found, _ = caught(watch, attempts=1)
    assert found.mode == "bounded"


def test_a_prepared_transaction_keeps_quiet_away(stanza):
    """It may commit at any time, and then its rows would be in no snapshot of the seal."""
    cluster = stanza.home.primary
    cluster.stop()
    cluster.start({"max_prepared_transactions": "2"})
    with stanza.server().connect() as connection:
        connection.execute("begin; insert into counted (n) values (1); prepare transaction 'p'")
        with moment.watching(stanza.server()) as watch:
            assert len(watch.running()) == 1
            found, _ = caught(watch, attempts=1)
        connection.execute("rollback prepared 'p'")
    cluster.stop()
    cluster.start()
    assert found.mode == "bounded"


def test_tables_that_come_meanwhile_are_in_the_next_attempt(stanza, watch):
    """The list of tables is the one of the snapshots, never older."""
    server, numbers = stanza.server(), itertools.count()

    def create():
        with server.connect() as connection:
            connection.execute(f"create table made_{next(numbers)} (n int)")
            connection.execute("select pg_sleep(0.05)")

    with going_on(create):
        _, tables = caught(watch)
    shown = [table.full_name for table in contents.tables(watch.watching["hl7"])]
    assert [table.full_name for table in tables["hl7"]] == shown


def test_tables_that_come_faster_than_they_can_be_listed_are_told(stanza, watch, monkeypatch):
    """Nothing is sealed that was not looked at."""
    monkeypatch.setattr(moment.Watch, "shows", lambda _self, _tables: False)
    with pytest.raises(Transient, match="tables come and go too fast to be sealed"):
        caught(watch, attempts=1)


def test_a_restore_point_stands_in_the_wal(stanza, watch):
    """Its position is behind everything that was committed before."""
    with stanza.server().connect() as connection:
        (before,) = connection.execute("select pg_current_wal_lsn()").fetchone()
        found, _ = caught(watch)
        (is_behind,) = connection.execute(
            "select %s::pg_lsn > %s::pg_lsn", [found.lsn, before]
        ).fetchone()
    assert is_behind
    assert found.restore_point.startswith("moment-test-locked-")
