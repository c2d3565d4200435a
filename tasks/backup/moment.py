"""The moment of a seal: a restore point in the WAL and snapshots that show what it holds."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from tasks.control.errors import Transient
from tasks.postgres import contents
from tasks.postgres.contents import Table
from tasks.postgres.server import Connection, Server
from tasks.repository.measure import everywhere
from tasks.repository.seal import SealMode


LOCK_TIMEOUT_MS = 100
"""No writer waits longer than this for us, however many databases there are."""

REPLAY_PAUSE_S = 0.002

ATTEMPTS = 20
PAUSE_S = 0.25

SETTLE_S = 2.0
"""How long a bounded moment waits for the transactions that ran at its restore point."""

LARGE_OBJECTS = (
    sql.SQL("pg_catalog.pg_largeobject"),
    sql.SQL("pg_catalog.pg_largeobject_metadata"),
)
"""Where large objects lie; they are held still like tables."""

Tables = Mapping[str, list[Table]]


@dataclass(frozen=True)
class Moment:
    """A restore point, its LSN, how sure the snapshots are, and the snapshots by database.

    `held_ms` says how long tables were locked for it, from the first lock to the end of the last.
    """

    restore_point: str
    lsn: str
    mode: SealMode
    attempts: int
    snapshots: dict[str, str]
    held_ms: float | None = None


@dataclass(frozen=True)
class Watch:
    """Two connections to every database: one acts, the other keeps a snapshot."""

    acting: dict[str, Connection]
    watching: dict[str, Connection]
    flushing: Connection | None = None

    def look(self) -> dict[str, str]:
        """Take new snapshots in every database, kept until the next look."""
        taken = {}
        for name, connection in self.watching.items():
            connection.rollback()
            taken[name] = _text(connection, "select pg_current_snapshot()")
        return taken

    def shows(self, tables: Tables) -> bool:
        """Tell whether the snapshots show just these tables."""
        return all(
            [table.full_name for table in contents.tables(connection)]
            == [table.full_name for table in tables[name]]
            for name, connection in self.watching.items()
        )

    def restore_point(self, name: str) -> str:
        """Write a restore point and return its LSN."""
        return _text(self._actor, f"select pg_create_restore_point('{name}')")

    def await_replay(self, lsn: str, within_s: float) -> bool:
        """Wait until the standby shows all up to a position; tell whether it does in time.

        A restore point is not flushed, and so not sent, before somebody commits: we do.
        """
        assert self.flushing is not None  # noqa: S101 - asked only where there is a standby
        self.flushing.execute("select pg_logical_emit_message(true, 'hl7ops', 'flush')")
        connection = next(iter(self.watching.values()))
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            found = _text(connection, f"select pg_last_wal_replay_lsn() >= '{lsn}'::pg_lsn")
            connection.rollback()
            if found == "True":
                return True
            time.sleep(REPLAY_PAUSE_S)
        return False

    def running(self) -> set[str]:
        """Return the transactions that hold their number, prepared ones among them."""
        rows = self._actor.execute(
            "select transactionid::text from pg_locks where locktype = 'transactionid' and granted"
            " and mode = 'ExclusiveLock'"
        )
        return {number for (number,) in rows}

    def now(self) -> str:
        """Return the snapshot of this instant."""
        return _text(self._actor, "select pg_current_snapshot()")

    @property
    def is_on_standby(self) -> bool:
        """Whether the snapshots are those of a standby."""
        return self.flushing is not None

    @property
    def _actor(self) -> Connection:
        return next(iter(self.acting.values()))


@contextmanager
def watching(server: Server, standby: Server | None = None) -> Iterator[Watch]:
    """Connect twice to every database of a server: the second time, to its standby if there is."""
    with everywhere(server) as acting, everywhere(standby or server) as watchers:
        for connection in watchers.values():
            connection.autocommit = False
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
        watched = {name: watchers[name] for name in acting if name in watchers}
        if standby is None:
            yield Watch(acting, watched)
        else:
            with server.connect() as flushing:
                yield Watch(acting, watched, flushing)


def catch(
    watch: Watch, tables: Callable[[], Tables], name: str, attempts: int = ATTEMPTS
) -> tuple[Moment, Tables]:
    """Catch a moment, in the surest way that can be had.

    `locked`: SHARE locks keep writers out for a few milliseconds. `quiet`: an instant in which
    nobody was writing. `bounded`: neither was to be had; the snapshots are a little older than the
    restore point.

    Args:
        watch: the connections.
        tables: lists the tables as they are now.
        name: the stem of the restore points' names.
        attempts: how often each of the first two ways is tried.

    Returns:
        The moment, and the tables that its snapshots show.

    Raises:
        Transient: a standby is too far behind; nothing but the first way serves there.

    """
    ways = {"locked": _locked} if watch.is_on_standby else {"locked": _locked, "quiet": _quiet}
    for mode, way in ways.items():
        for attempt in range(1, attempts + 1):
            known = tables()
            moment = way(watch, known, f"{name}-{mode}-{attempt}", attempt)
            if moment and watch.shows(known):
                return moment, known
            time.sleep(PAUSE_S if mode == "locked" else PAUSE_S / 10)
    if watch.is_on_standby:
        raise Transient("the standby does not follow within the time that a writer may wait")
    return _bounded(watch, tables, f"{name}-bounded")


def _locked(watch: Watch, tables: Tables, name: str, attempt: int) -> Moment | None:
    """Write the restore point while no table can be written."""
    deadline, granted_at = time.monotonic() + LOCK_TIMEOUT_MS / 1000, 0.0
    with ExitStack() as stack:
        for database, connection in watch.acting.items():
            stack.enter_context(connection.transaction(force_rollback=True))
            if not _lock(connection, tables[database], deadline - time.monotonic()):
                return None
            granted_at = granted_at or time.monotonic()
        lsn = watch.restore_point(name)
        if watch.is_on_standby and not watch.await_replay(lsn, deadline - time.monotonic()):
            return None
        snapshots = watch.look()
    held_ms = round((time.monotonic() - granted_at) * 1000, 1)
    return Moment(name, lsn, "locked", attempt, snapshots, held_ms)


def _lock(connection: Connection, tables: list[Table], within_s: float) -> bool:
    """Lock tables against writing, all of them within what is left of the time."""
    if within_s <= 0:
        return False
    connection.execute(f"set local statement_timeout = {max(int(within_s * 1000), 1)}")
    names = sql.SQL(", ").join([*(table.identifier for table in tables), *LARGE_OBJECTS])
    try:
        connection.execute(sql.SQL("lock table {} in share mode").format(names))
    except (psycopg.errors.QueryCanceled, psycopg.errors.UndefinedTable):
        return False
    return True


def _quiet(watch: Watch, tables: Tables, name: str, attempt: int) -> Moment | None:
    """Write the restore point and see afterwards that nobody was writing.

    Equal snapshots alone are not enough, since a commit is in the WAL before it is visible; a
    transaction keeps the lock on its own number until it is.
    """
    del tables
    snapshots = watch.look()
    lsn = watch.restore_point(name)
    if watch.running() or {watch.now()} != set(snapshots.values()):
        return None
    return Moment(name, lsn, "quiet", attempt, snapshots)


def _bounded(watch: Watch, tables: Callable[[], Tables], name: str) -> tuple[Moment, Tables]:
    """Take snapshots, then write the restore point, and wait until what ran then has ended."""
    for _ in range(ATTEMPTS):
        known = tables()
        snapshots = watch.look()
        if watch.shows(known):
            lsn = watch.restore_point(name)
            ran, deadline = watch.running(), time.monotonic() + SETTLE_S
            while ran & watch.running() and time.monotonic() < deadline:
                time.sleep(PAUSE_S / 10)
            return Moment(name, lsn, "bounded", ATTEMPTS, snapshots), known
    raise Transient("tables come and go too fast to be sealed", do="try again at a calmer time")


def _text(connection: Connection, query: str) -> str:
    row = connection.execute(query).fetchone()
    return str(row[0]) if row else ""
