"""A restore point and its snapshots: what they show is just what the WAL holds up to it."""

import itertools
import threading
import time
from contextlib import contextmanager

import pytest

from tasks.backup import consistent_snapshot
from tasks.backup.sessions import Sessions, sessions
from tasks.postgres import capacity, table_digest


NAMES = ("hl7", "postgres", "template1")


@pytest.fixture
def opened(stanza):
    """Connect to every database of the stanza's cluster."""
    with sessions(stanza.server(), NAMES) as (connected, omitted):
        assert omitted == []
        yield connected


def taken(opened, attempts=consistent_snapshot.ATTEMPTS):
    """Take the snapshots."""
    return consistent_snapshot.take(opened, "snapshot-test", attempts)


def counted(opened):
    """Count the rows of a table in the snapshot that is kept."""
    (row,) = opened.readers["hl7"].execute("select count(*) from public.counted")
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


def test_without_writers_the_first_lock_is_had(opened):
    """And nobody waits for it."""
    found = taken(opened)
    assert (found.mode, found.attempts) == ("locked", 1)
    assert "public.counted" in [table.full_name for table in found.tables["hl7"]]
    assert set(found.snapshots) == set(found.tables) == set(NAMES)
    assert not any(found.unsure.values())
    assert 0 < found.held_ms < 100


def test_what_is_written_after_the_restore_point_is_not_seen(stanza, opened):
    """The snapshots stay as they were while the digests are computed."""
    taken(opened)
    before = counted(opened)
    with stanza.server().connect() as writer:
        writer.execute("insert into counted (n) select * from generate_series(1, 100)")
    assert counted(opened) == before


def test_the_locks_are_gone_when_the_snapshots_are_taken(stanza, opened):
    """Writers go on while tables are digested."""
    taken(opened)
    with stanza.server().connect(lock_timeout_ms=200) as writer:
        writer.execute("insert into counted (n) values (1)")
        writer.execute("alter table counted set (fillfactor = 90)")


def test_all_databases_together_are_locked_within_the_time_that_a_writer_may_wait(
    opened, monkeypatch
):
    """The time is one for all of them; once it is used up, no further table is locked."""
    monkeypatch.setattr(consistent_snapshot, "LOCK_TIMEOUT_MS", 0)
    found = taken(opened, attempts=2)
    assert (found.mode, found.held_ms) == ("quiet", None)


def test_no_attempt_at_the_locks_makes_it_quiet_or_bounded(stanza, opened):
    """The surest way that can be had is taken."""
    with stanza.server().connect(autocommit=False) as writer:
        writer.execute("insert into counted (n) values (1)")
        found = taken(opened, attempts=1)
    assert found.mode == "bounded"


def test_a_prepared_transaction_keeps_quiet_away(stanza):
    """It may commit at any time, and then its rows would be in no snapshot of the seal."""
    cluster = stanza.home.primary
    cluster.stop()
    cluster.start({"max_prepared_transactions": "2"})
    with stanza.server().connect() as connection:
        connection.execute("begin; insert into counted (n) values (1); prepare transaction 'p'")
        with sessions(stanza.server(), NAMES) as (opened, _):
            assert len(opened.running()) == 1
            found = taken(opened, attempts=1)
        connection.execute("rollback prepared 'p'")
    cluster.stop()
    cluster.start()
    assert found.mode == "bounded"


def test_tables_that_come_meanwhile_are_listed_as_the_snapshots_show_them(stanza, opened):
    """The list of tables is the one of the snapshots, never older."""
    server, numbers = stanza.server(), itertools.count()

    def create():
        with server.connect() as connection:
            connection.execute(f"create table made_{next(numbers)} (n int)")
            connection.execute("select pg_sleep(0.05)")

    with going_on(create):
        found = taken(opened)
        shown = [table.full_name for table in table_digest.tables(opened.readers["hl7"])]
    assert [table.full_name for table in found.tables["hl7"]] == shown
    assert found.unsure["hl7"] <= set(shown)


def test_a_table_that_the_locks_did_not_hold_is_told(stanza, opened, monkeypatch):
    """It came between the list and the locks: somebody may have written it meanwhile."""
    real = consistent_snapshot._lock  # noqa: SLF001

    def late(connection, tables, within_s):
        if connection is opened.lockers["hl7"]:
            with stanza.server().connect() as other:
                other.execute("drop table if exists came")  # where the locks are tried again
                other.execute("create table came (n int); insert into came values (1)")
        return real(connection, tables, within_s)

    monkeypatch.setattr(consistent_snapshot, "_lock", late)
    found = taken(opened)
    assert found.mode == "locked"
    assert found.unsure["hl7"] == {"public.came"}
    opened.begin()
    with stanza.server().connect() as connection:
        connection.execute("drop table came")


def test_a_view_that_is_being_refreshed_is_told(stanza, opened):
    """No lock of a reader keeps that away."""
    with stanza.server().connect() as connection:
        connection.execute("create materialized view seen as select count(*) from counted")
    with stanza.server().connect(autocommit=False) as writer:
        writer.execute("refresh materialized view seen")
        found = taken(opened)
    assert found.mode == "locked"
    assert found.unsure["hl7"] == {"public.seen"}
    opened.begin()
    with stanza.server().connect() as connection:
        connection.execute("drop materialized view seen")


def test_more_tables_than_a_share_of_the_free_locks_are_not_locked(opened, monkeypatch):
    """Transactions of others would fail for want of them."""
    monkeypatch.setattr(capacity, "SHARE", 1_000_000)
    found = taken(opened)
    assert (found.mode, found.attempts) == ("quiet", 1)


def test_locked_or_not_at_all(stanza, opened, monkeypatch):
    """Where only the surest way will do, nothing else is taken."""
    monkeypatch.setattr(consistent_snapshot, "PAUSE_S", 0)
    with stanza.server().connect(autocommit=False) as writer:
        writer.execute("insert into counted (n) values (1)")
        assert consistent_snapshot.take_kept(opened, "snapshot-test", 2) is None
    found = consistent_snapshot.take_kept(opened, "snapshot-test", consistent_snapshot.ATTEMPTS)
    assert found.mode == "locked"
    assert found.restore_point == f"snapshot-test-locked-{found.attempts}"


def test_only_the_tables_that_are_wanted_are_locked(stanza):
    """A writer of another one keeps nothing away."""
    with stanza.server().connect() as connection:
        connection.execute("create table if not exists other (n int)")
    with (
        stanza.server().connect(autocommit=False) as writer,
        sessions(stanza.server(), ["hl7"], only={"hl7": {"public.other"}}) as (opened, _),
    ):
        writer.execute("insert into counted (n) values (1)")
        found = taken(opened)
    assert (found.mode, found.attempts, found.is_certain) == ("locked", 1, True)
    assert [table.full_name for table in found.tables["hl7"]] == ["public.other"]


def test_what_is_defined_between_the_restore_point_and_the_snapshots_is_noticed(
    stanza, opened, monkeypatch
):
    """No lock of ours keeps anybody from it, so that it is tried again, but not for ever."""
    real, left = Sessions.restore_point, [1]

    def meddled(self, name):
        lsn = real(self, name)
        if left and left.pop():
            with stanza.server().connect() as other:
                other.execute("create schema came; drop schema came")
        return lsn

    monkeypatch.setattr(Sessions, "restore_point", meddled)
    found = taken(opened)
    assert (found.mode, found.attempts, found.is_certain) == ("locked", 2, True)
    left += [1, 1, 1]
    found = taken(opened)
    assert (found.attempts, found.is_certain) == (consistent_snapshot.CERTAIN_ATTEMPTS, False)


def test_a_database_that_cannot_be_connected_to_is_named(stanza):
    """And keeps no other from being sealed."""
    with sessions(stanza.server(), ["hl7", "nowhere"]) as (opened, (omission,)):
        assert set(opened.readers) == {"hl7"}
    assert (omission.subject, omission.database) == ("database nowhere", "nowhere")
    assert omission.reason.startswith("no connection: ")


def test_a_restore_point_stands_in_the_wal(stanza, opened):
    """Its position is behind everything that was committed before."""
    with stanza.server().connect() as connection:
        (before,) = connection.execute("select pg_current_wal_lsn()").fetchone()
        found = taken(opened)
        (is_behind,) = connection.execute(
            "select %s::pg_lsn > %s::pg_lsn", [found.lsn, before]
        ).fetchone()
    assert is_behind
    assert found.restore_point.startswith("snapshot-test-locked-")


def test_who_waits_for_a_standby_has_ended_though_nobody_sees_it(stanza, opened):
    """What he defined may be in the WAL before the restore point, and in no snapshot."""
    settings = {"synchronous_standby_names": "nobody", "synchronous_commit": "on"}
    with stanza.server().connect() as connection:
        for name, value in settings.items():
            connection.execute(f"alter system set {name} = '{value}'")
        connection.execute("select pg_reload_conf()")
    waiting = threading.Thread(target=_made_a_schema, args=[stanza.server()])
    waiting.start()
    try:
        deadline = time.monotonic() + 30
        while not opened.is_anybody_committing() and time.monotonic() < deadline:
            time.sleep(0.05)
        found = taken(opened)
    finally:
        with stanza.server().connect() as connection:
            connection.execute("set synchronous_commit = off")
            for name in settings:
                connection.execute(f"alter system reset {name}")
            connection.execute("select pg_reload_conf()")
        waiting.join()
    assert (found.attempts, found.is_certain) == (consistent_snapshot.CERTAIN_ATTEMPTS, False)
    opened.begin()


def _made_a_schema(server):
    with server.connect() as connection:
        connection.execute("create schema if not exists waited")
