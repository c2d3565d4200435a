"""Digest tables that are in use, in snapshots that are kept, and let nobody wait for it.

Each table is read within a savepoint that is rolled back, so that its lock is gone as soon as it is
read. Who waits for it meanwhile ends the read (see `lock_watch`); it is then begun again, portion
by portion. A table that was emptied or rewritten since the snapshot reads as empty: that is seen by
its file, and told.
"""

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from tasks.backup.consistent_snapshot import ConsistentSnapshot
from tasks.backup.sessions import Sessions
from tasks.postgres import table_digest
from tasks.postgres.names import quoted
from tasks.postgres.server import Connection
from tasks.postgres.table_digest import LARGE_OBJECTS, Digest, Table
from tasks.repository.fingerprint import Progress, sealed
from tasks.repository.pace import Pace
from tasks.repository.seal import WHOLE, Omission, Share, TableSeal, excluded


log = logging.getLogger(__name__)

PORTION_BLOCKS = 4096
"""How much of a table is read at a time, where there is a limit, or somebody waited: 32 MiB."""

BLOCK_BYTES = 8192

SHORT_MS = 100
"""How long tables are waited for after the first one that somebody held for himself."""

TRIES = 20
"""How often a portion is begun that somebody waited for."""

REWRITTEN = "it was emptied or rewritten while it was sealed"
WAITED_FOR = "somebody waited for it each time that it was read"
CAME = "it came while the restore point was written"
HELD = "somebody held it locked"
GONE = "it was dropped or renamed while it was sealed"
LATE = "no time was left"
LOST = "the connection was lost, as when the database is dropped, renamed or copied"
EXCLUDED = "left out by SEAL_EXCLUDE"


_LARGE_OBJECTS = "select exists (select from pg_largeobject_metadata)"


class GivenWay(Exception):
    """Somebody waited for a table that was kept from being rewritten."""


class NotRead(Exception):
    """A table does not hold still; the text says why."""


@dataclass
class Readings:
    """What was read of tables, what was not, and which may be read at another restore point.

    `pending` says why of each, by database and name; `not_due` are of another day. `lost`
    are the databases to which the connection was.
    """

    tables: dict[str, TableSeal] = field(default_factory=dict)
    omitted: list[Omission] = field(default_factory=list)
    pending: dict[str, dict[str, str]] = field(default_factory=dict)
    not_due: list[str] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)

    def postpone(self, database: str, table: str, why: str) -> None:
        """Note a table that may be read at another restore point."""
        self.pending.setdefault(database, {})[table] = why


@dataclass(frozen=True)
class DigestReader:
    """Reads the tables of one consistent snapshot.

    Args:
        opened: the connections that keep the snapshots.
        point: the restore point.
        moment: its number.
        pace: how fast, and for how long.
        known: tables whose digests are known already, by their full names.
        first: full names of tables that are read before the others.
        exclude: patterns of tables that are left out.
        share: which tables are read today.
        is_kept: the sessions keep the tables from being rewritten, until somebody waits for one.
        progress: told of each table.

    """

    opened: Sessions
    point: ConsistentSnapshot
    moment: int
    pace: Pace
    known: Mapping[str, TableSeal] = field(default_factory=dict)
    first: Collection[str] = ()
    exclude: Collection[str] = ()
    share: Share = WHOLE
    is_kept: bool = False
    progress: Progress = lambda _: None

    def run(self) -> Readings:
        """Read all tables; one that cannot be read keeps no other from being read."""
        found = Readings()
        for name, connection in self.opened.readers.items():
            try:
                self._database(found, name, connection)
                if self.is_kept:
                    connection.rollback()
            except GivenWay:
                connection.rollback()
                for full, table in self._ordered(name):
                    if full not in found.tables:
                        found.postpone(name, table.full_name, WAITED_FOR)
            except psycopg.Error as error:
                if not connection.closed:
                    raise
                log.warning("the connection to %s was lost: %s", name, type(error).__name__)
                found.lost.add(name)
                self._lost(found, name)
        return found

    def _database(self, found: Readings, name: str, connection: Connection) -> None:
        for full, table in self._ordered(name):
            if excluded(full, self.exclude):
                found.omitted.append(Omission(full, EXCLUDED, is_expected=True, database=name))
            elif not self.share.has(full):
                found.not_due.append(full)
            elif table.full_name in self.point.unsure.get(name, ()):
                found.postpone(name, table.full_name, CAME)
            elif full in self.known:
                found.tables[full] = self.known[full]
            elif self.pace.is_over:
                found.omitted.append(Omission(full, LATE, database=name))
            else:
                self._table(found, name, connection, full, table)
        if self.opened.only is None and self.point.mode != "bounded":
            self._large_objects(found, name, connection)

    def _ordered(self, database: str) -> list[tuple[str, Table]]:
        named = [
            (f"{quoted(database)}.{table.full_name}", table)
            for table in self.point.tables.get(database, ())
        ]
        return sorted(named, key=lambda each: each[0] not in self.first)

    def _table(
        self, found: Readings, name: str, connection: Connection, full: str, table: Table
    ) -> None:
        self.progress(table.full_name)
        try:
            digest = self._digest(connection, table)
        except NotRead as error:
            found.postpone(name, table.full_name, str(error))
        except psycopg.errors.SerializationFailure:  # replay on a standby ended the read
            found.postpone(name, table.full_name, REWRITTEN)
        except psycopg.errors.LockNotAvailable:
            connection.execute(f"set local lock_timeout = {SHORT_MS}")
            found.postpone(name, table.full_name, HELD)
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            found.omitted.append(Omission(full, GONE, database=name))
        except psycopg.Error as error:
            if connection.closed:
                raise
            reason = f"it cannot be read: {type(error).__name__} ({error.sqlstate})"
            found.omitted.append(Omission(full, reason, database=name))
        else:
            if digest is None:
                found.omitted.append(Omission(full, LATE, database=name))
            else:
                found.tables[full] = sealed(name, table, digest, self.moment)

    def _digest(self, connection: Connection, table: Table) -> Digest | None:
        """Digest a table; in portions where it must be; None: the time ran out before its end."""
        if self.pace.is_free:
            try:
                with _held_still(connection, table):
                    return table_digest.digest(connection, table)
            except psycopg.errors.QueryCanceled:
                if self.is_kept:
                    raise GivenWay from None
                log.info("somebody waited for a table; it is read in portions")
        count = table_digest.block_count(connection, table)
        parts = []
        for first in range(0, max(count, 1), PORTION_BLOCKS):
            if self.pace.is_over:
                return None
            end = first + PORTION_BLOCKS
            parts.append(self._portion(connection, table, (first, end if end < count else None)))
            self.pace.step((min(end, count) - first) * BLOCK_BYTES)
        return table_digest.added(connection, parts)

    def _portion(
        self, connection: Connection, table: Table, blocks: tuple[int, int | None]
    ) -> Digest:
        for _ in range(TRIES):
            try:
                with _held_still(connection, table):
                    return table_digest.digest(connection, table, blocks=blocks)
            except psycopg.errors.QueryCanceled:
                continue
        raise NotRead(WAITED_FOR)

    def _large_objects(self, found: Readings, name: str, connection: Connection) -> None:
        full = f"{quoted(name)}.{LARGE_OBJECTS}"
        for _ in range(TRIES):
            try:
                with connection.transaction(force_rollback=True):
                    digest = table_digest.large_objects(connection)
            except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable):
                continue
            if digest is not None:
                found.tables[full] = sealed(name, None, digest, self.moment)
            return
        found.omitted.append(Omission(full, WAITED_FOR, database=name))

    def _lost(self, found: Readings, name: str) -> None:
        """Name the tables of a database whose connection was lost before they were read."""
        done = {*found.tables, *(each.subject for each in found.omitted)}
        waiting = found.pending.get(name, {})
        found.omitted += [
            Omission(full, LOST, database=name)
            for full, table in self._ordered(name)
            if full not in done and table.full_name not in waiting
        ]


@contextmanager
def _held_still(connection: Connection, table: Table) -> Iterator[None]:
    """Read a table within the block, give its lock back, and see that it was the one listed.

    Raises:
        NotRead: it was emptied, rewritten, or another one has its name.

    """
    with connection.transaction(force_rollback=True):
        yield
        if not table_digest.is_as_listed(connection, table):
            raise NotRead(REWRITTEN)


def with_bounds(opened: Sessions, point: ConsistentSnapshot, found: Readings) -> None:
    """Count, in new snapshots, how many rows of the old ones are still there.

    Where all are, and the table is compared exactly, nothing more is wanted; the others may be
    sealed at another restore point. Large objects have no bounds of that kind.
    """
    opened.begin()
    opened.snapshots()
    for name, connection in opened.readers.items():
        for table in point.tables.get(name, ()):
            full = f"{quoted(name)}.{table.full_name}"
            if full in found.tables:
                _bound(found, connection, name, table, point.snapshots[name])
        if connection.execute(_LARGE_OBJECTS).fetchone() == (True,):
            subject = f"{quoted(name)}.{LARGE_OBJECTS}"
            reason = "somebody wrote all the time, and they have no bounds"
            found.omitted.append(Omission(subject, reason, database=name))


def _bound(found: Readings, connection: Connection, name: str, table: Table, snapshot: str) -> None:
    full = f"{quoted(name)}.{table.full_name}"
    table_seal = found.tables.pop(full)
    stable = _stable(connection, table, snapshot)
    if stable is None:
        found.postpone(name, table.full_name, REWRITTEN)
        return
    found.tables[full] = TableSeal(**(vars(table_seal) | {"stable_rows": stable}))
    if stable != table_seal.rows:
        found.postpone(name, table.full_name, "")


def _stable(connection: Connection, table: Table, snapshot: str) -> int | None:
    """Count the rows that a snapshot saw and that are still there; None: it was rewritten."""
    for _ in range(TRIES):
        try:
            with _held_still(connection, table):
                return table_digest.digest(connection, table, snapshot).rows
        except psycopg.errors.QueryCanceled:
            continue
        except (
            NotRead,
            psycopg.errors.LockNotAvailable,
            psycopg.errors.UndefinedTable,
            psycopg.errors.InvalidSchemaName,
        ):
            return None
    return None
