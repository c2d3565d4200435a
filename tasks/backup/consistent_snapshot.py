"""A restore point in the WAL, and snapshots of all databases that show what it holds."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from tasks.backup.sessions import Sessions
from tasks.control.errors import Transient
from tasks.postgres import capacity
from tasks.postgres.server import Connection
from tasks.postgres.table_digest import Table
from tasks.repository.seal import SealMode


LOCK_TIMEOUT_MS = 100
"""No writer waits longer than this for us, however many databases there are."""

ATTEMPTS = 20

CERTAIN_ATTEMPTS = 3
"""So often it is tried to find nobody at work who defines something while tables are locked."""

PAUSE_S = 0.25

SETTLE_S = 2.0
"""How long a bounded snapshot waits for the transactions that ran at its restore point."""

LARGE_OBJECTS = (
    sql.SQL("pg_catalog.pg_largeobject"),
    sql.SQL("pg_catalog.pg_largeobject_metadata"),
)
"""Where large objects lie; they are held still like tables."""

Tables = Mapping[str, Sequence[Table]]
"""Tables by database."""


@dataclass(frozen=True)
class ConsistentSnapshot:
    """A restore point, its LSN, and how surely the snapshots show what the WAL holds up to it.

    Args:
        restore_point: its name.
        lsn: where it ends.
        mode: how it was had.
        attempts: how often that was tried.
        snapshots: by database.
        tables: those that the snapshots show.
        unsure: of those, names that the locks did not hold, since they came meanwhile.
        held_ms: how long tables were locked; None: they were not.
        is_certain: nobody ended a transaction between the restore point and the snapshots. Locks
            keep tables still, but not what else is defined.

    """

    restore_point: str
    lsn: str
    mode: SealMode
    attempts: int
    snapshots: dict[str, str]
    tables: dict[str, list[Table]]
    unsure: dict[str, set[str]] = field(default_factory=dict)
    held_ms: float | None = None
    is_certain: bool = True


def take_kept(opened: Sessions, name: str, attempts: int) -> ConsistentSnapshot | None:
    """Take snapshots under locks, and keep others from emptying or rewriting the tables meanwhile.

    They wait until the transactions of the sessions end. None: the locks were not to be had.
    """
    for attempt in range(1, attempts + 1):
        if found := _locked(opened, f"{name}-locked-{attempt}", attempt, is_kept=True):
            return found
        opened.begin()
        time.sleep(PAUSE_S / 10)
    return None


def take(opened: Sessions, name: str, attempts: int = ATTEMPTS) -> ConsistentSnapshot:
    """Take snapshots that belong to a restore point, in the surest way that can be had.

    `locked`: SHARE locks keep writers out for a few milliseconds; where there are more tables than
    a quarter of the free locks, they are not asked for. `quiet`: an instant in which nobody was
    writing. `bounded`: neither was to be had; the snapshots are a little older than the restore
    point.

    Args:
        opened: the connections.
        name: the stem of the restore points' names.
        attempts: how often each of the first two ways is tried.

    Raises:
        Transient: a standby is too far behind; nothing but the first way serves there.

    """
    ways = {"locked": _locked} if opened.are_on_standby else {"locked": _locked, "quiet": _quiet}
    for mode, way in ways.items():
        for attempt in range(1, attempts + 1):
            found = way(opened, f"{name}-{mode}-{attempt}", attempt)
            if found and (found.is_certain or attempt >= CERTAIN_ATTEMPTS):
                return found
            if mode == "locked" and not _fits(opened):
                break
            time.sleep(PAUSE_S if mode == "locked" else PAUSE_S / 10)
    if opened.are_on_standby:
        raise Transient("the standby does not follow within the time that a writer may wait")
    return _bounded(opened, f"{name}-bounded")


def _fits(opened: Sessions) -> bool:
    """Tell whether the tables are few enough to be locked."""
    opened.begin()
    count = sum(len(tables) for tables in opened.tables(opened.lockers).values())
    opened.begin()
    return count <= capacity.locks(opened.actor)


def _locked(
    opened: Sessions, name: str, attempt: int, *, is_kept: bool = False
) -> ConsistentSnapshot | None:
    """Write the restore point while no table can be written."""
    opened.begin()
    known = opened.tables(opened.lockers)
    opened.begin()
    if sum(map(len, known.values())) > capacity.locks(opened.actor):
        return None
    refreshed = opened.refreshed()
    began = time.monotonic()
    deadline = began + LOCK_TIMEOUT_MS / 1000
    if is_kept and not all(
        _lock(connection, known[database], deadline - began, "access share")
        for database, connection in opened.lockers.items()
    ):
        return None
    found = _within_locks(opened, known, name, deadline)
    if found is None:
        return None
    lsn, snapshots, granted_at, is_certain = found
    held_ms = round((time.monotonic() - granted_at) * 1000, 1)
    shown = opened.tables(opened.readers)
    held = {name: {each.oid for each in tables} for name, tables in known.items()}
    unsure = {
        name: {
            each.full_name
            for each in tables
            if each.oid not in held[name] or (each.is_view and each.oid in refreshed)
        }
        for name, tables in shown.items()
    }
    return ConsistentSnapshot(
        name, lsn, "locked", attempt, snapshots, shown, unsure, held_ms, is_certain
    )


def _within_locks(
    opened: Sessions, known: Tables, name: str, deadline: float
) -> tuple[str, dict[str, str], float, bool] | None:
    """Lock, write the restore point, take the snapshots, and let go.

    Told last is whether nobody ended a transaction meanwhile, or had written his end without its
    being to be seen yet.

    The locks belong to a savepoint: rolled back to, they are gone, and the snapshot stays.
    """
    granted_at = 0.0
    with ExitStack() as stack:
        for database, connection in opened.lockers.items():
            stack.enter_context(_released(connection))
            if not _lock(connection, known[database], deadline - time.monotonic()):
                return None
            granted_at = granted_at or time.monotonic()
        before = opened.now()
        lsn = opened.restore_point(name)
        ran = opened.running()
        if opened.are_on_standby and not opened.await_replay(lsn, deadline - time.monotonic()):
            return None
        snapshots = opened.snapshots()
        is_certain = opened.are_on_standby or (
            {*snapshots.values()} == {before}
            and ran <= opened.running()
            and not opened.is_anybody_committing()
        )
        return lsn, snapshots, granted_at, is_certain


@contextmanager
def _released(connection: Connection) -> Iterator[None]:
    """Give back at the end of the block what was locked in it, in an open transaction."""
    connection.execute("savepoint hl7ops")
    try:
        yield
    finally:
        connection.execute("rollback to savepoint hl7ops")
        connection.execute("release savepoint hl7ops")


def _lock(
    connection: Connection, tables: Sequence[Table], within_s: float, mode: str = "share"
) -> bool:
    """Lock tables, against writing or against rewriting, within what is left of the time."""
    if within_s <= 0:
        return False
    connection.execute(f"set local statement_timeout = {max(int(within_s * 1000), 1)}")
    plain = [table.identifier for table in tables if not table.is_view]
    names = [sql.SQL("only {}").format(each) for each in (*plain, *LARGE_OBJECTS)]
    try:
        connection.execute(
            sql.SQL("lock table {} in {} mode").format(sql.SQL(", ").join(names), sql.SQL(mode))
        )
        connection.execute("set local statement_timeout = 0")
    except (
        psycopg.errors.QueryCanceled,
        psycopg.errors.UndefinedTable,
        psycopg.errors.InvalidSchemaName,
        psycopg.errors.OutOfMemory,
        psycopg.errors.DeadlockDetected,
        psycopg.errors.LockNotAvailable,
    ):
        return False
    return True


def _quiet(opened: Sessions, name: str, attempt: int) -> ConsistentSnapshot | None:
    """Write the restore point and see afterwards that nobody was writing.

    Equal snapshots alone are not enough, since a commit is in the WAL before it is visible; a
    transaction keeps the lock on its own number until it is.
    """
    opened.begin()
    snapshots = opened.snapshots()
    lsn = opened.restore_point(name)
    if opened.running() or {opened.now()} != set(snapshots.values()):
        return None
    return ConsistentSnapshot(name, lsn, "quiet", attempt, snapshots, opened.tables(opened.readers))


def _bounded(opened: Sessions, name: str) -> ConsistentSnapshot:
    """Take snapshots, then write the restore point, and wait until what ran then has ended."""
    opened.begin()
    snapshots = opened.snapshots()
    lsn = opened.restore_point(name)
    ran, deadline = opened.running(), time.monotonic() + SETTLE_S
    while ran & opened.running() and time.monotonic() < deadline:
        time.sleep(PAUSE_S / 10)
    shown = opened.tables(opened.readers)
    return ConsistentSnapshot(name, lsn, "bounded", ATTEMPTS, snapshots, shown)
