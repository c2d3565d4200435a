"""Dump one database, and seal what it holds in the snapshot that the dump is of.

`TRUNCATE` and what rewrites a table do not follow snapshots: in an old one such a table is empty.
`pg_dump` locks all tables before it writes the head of its dump, so each is held against its file
of the snapshot once that head is there. Where one is another, the database is dumped anew.
"""

import logging
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import psycopg
from psycopg import sql

from tasks.backup.dumping import Dumped, Dumping, Head, number_of
from tasks.backup.observations import UNREAD, in_own_schemas
from tasks.control.errors import OpsError, Refused
from tasks.postgres import capacity, dump_toc, schema_dump, sequences
from tasks.postgres import table_digest as digests
from tasks.postgres.names import joined, quoted
from tasks.postgres.sequences import SequenceState
from tasks.postgres.server import Connection
from tasks.postgres.table_digest import PERMANENT, UNLOGGED, Table
from tasks.repository.fingerprint import count, sealed
from tasks.repository.model import Dump
from tasks.repository.seal import Omission, SequenceSeal, excluded


log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

TRIES = 8
"""How often a database is dumped whose tables do not hold still meanwhile."""

PATIENT_TRIES = 3
"""After so many tries tables that came since the first one are left out."""

KEPT = (PERMANENT, UNLOGGED)
"""The kinds of tables whose rows are dumped."""

PAUSE_S = 0.1
"""How long it is waited after the first try; twice as long after each further one."""

EMPTIED = "it was emptied or rewritten each time before it was dumped; its rows may be missing"
REFRESHED = "it was refreshed meanwhile, and is made anew when it is loaded"
HELD = "somebody held it locked, or what it reads, all the time: it is not in the dump"
WORK_TABLE = "it came after the first try, and tables came and went all the time"
EXCLUDED = "its contents are not compared, as SEAL_EXCLUDE says"


_HELD = """
with recursive held (oid) as (
  select relation from pg_locks where locktype = 'relation' and granted
    and mode = 'AccessExclusiveLock' and pid <> pg_backend_pid()
    and database = (select oid from pg_database where datname = current_database())
  union select r.ev_class from held
    join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = held.oid
    join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid)
select n.nspname::text, c.relname::text, c.oid::bigint, c.relkind = 'v'
from held join pg_class c using (oid) join pg_namespace n on n.oid = c.relnamespace
"""
"""What somebody holds for himself, and the views of it, which `pg_dump` would wait for as well."""


_LOCKED = """
select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and n.nspname !~ '^pg_'
  and n.nspname <> 'information_schema' and c.relpersistence <> 't'
"""
"""What `pg_dump` locks to read its definition or its rows, until it ends."""


class Moved(Exception):
    """Tables were emptied, rewritten or dropped between a snapshot and its dump."""

    def __init__(self, tables: Sequence[str]) -> None:
        """Note which."""
        super().__init__(", ".join(tables))
        self.tables = tables


@dataclass(frozen=True)
class DatabaseDump:
    """One database of a snapshot while it is dumped and sealed."""

    dumping: Dumping
    name: str
    connection: Connection

    def run(self) -> Dumped:
        """Dump it in the snapshot of its connection, or in another one where that must be.

        Raises:
            OpsError: it cannot be dumped; the text is what `pg_dump` said.
            Refused: it has more tables than the server has locks to spare.

        """
        self._require_locks()
        first = {each.oid for each in self._tables()}
        for number in range(1, TRIES + 1):
            left_out = self._young(first) if number > PATIENT_TRIES else {}
            left_out |= self._held() if number == TRIES else {}
            try:
                return self._dumped(left_out, insists=number == TRIES)
            except Moved as moved:
                log.info("database %s is dumped again: %s moved", self.name, len(moved.tables))
            except OpsError as error:
                if number == TRIES or not schema_dump.may_succeed_again(error):
                    raise
                log.info("database %s is dumped again", self.name)
            self.connection.rollback()
            time.sleep(PAUSE_S * 2**number)
        raise AssertionError  # the last try returns or raises

    def _require_locks(self) -> None:
        """See that there are locks for `pg_dump`, which locks all tables at once.

        Where there are not, it fails, and transactions of users fail beside it.
        """
        needed, room = int(_text(self.connection, _LOCKED)), capacity.all_locks(self.connection)
        if needed > room:
            raise Refused(
                "too many tables for a dump",
                stanza=self.dumping.stanza.name,
                seen=f"{needed:,} tables and views in database {self.name}, all locked at once",
                expected=f"{room:,} at most, which is what the server's lock table has free",
                do="raise max_locks_per_transaction, or take full backups, which lock no table",
            )

    def _tables(self) -> list[Table]:
        return digests.tables(self.connection, KEPT, as_text=True)

    def _young(self, first: set[int]) -> dict[Table, str]:
        return {table: WORK_TABLE for table in self._tables() if table.oid not in first}

    def _held(self) -> dict[Table, str]:
        """Return what somebody holds for himself, and its views: `pg_dump` would wait for them."""
        rows = self.connection.execute(_HELD).fetchall()
        held = {oid for _, _, oid, _ in rows}
        views = [Table(schema, name, oid, 0, is_view=True) for schema, name, oid, v in rows if v]
        return dict.fromkeys([*views, *(t for t in self._tables() if t.oid in held)], HELD)

    def _dumped(self, left_out: Mapping[Table, str], *, insists: bool) -> Dumped:
        """Dump it once, without some tables.

        Raises:
            Moved: tables are not as the snapshot shows them; not where somebody insists.

        """
        snapshot = _text(self.connection, "select pg_current_snapshot()")
        exported = _exported(self.connection)
        if not insists:
            self._lock(left_out)
        before = sequences.read(self.connection, KEPT)
        found = Dumped(Dump(self.name, f"{number_of(self.connection)}.dump"), snapshot)
        how = [*self.dumping.how, f"--snapshot={exported}"]
        patterns = (schema_dump.pattern(self.connection, t.schema, t.name) for t in left_out)
        how += [f"--exclude-table={each}" for each in patterns]
        with self.dumping.said("pg_dump", self.dumping.server.database(self.name), how) as file:
            head = Head(file)
            found.definitions = schema_dump.definitions(dump_toc.entries(head.read))
            moved = self._moved(left_out)
            if moved and not insists:
                raise Moved([table.full_name for table in moved])
            with _beside(self._seal, found, {*moved, *left_out}):
                self.dumping.store(found.dump.object, head, file)
        found.omitted += in_own_schemas(self.name, self.connection)
        found.omitted += [self._omission(table, EMPTIED) for table in moved]
        found.omitted += [self._omission(table, why) for table, why in left_out.items()]
        after = sequences.read(self.connection, KEPT)
        found.sequences = _sequences(self.name, before.states, after.states)
        unread = sorted({*before.unread, *after.unread})
        found.omitted += [
            Omission(f"{quoted(self.name)}.{each}", UNREAD, database=self.name) for each in unread
        ]
        return found

    def _omission(self, table: Table, why: str, *, is_expected: bool = False) -> Omission:
        name = joined(self.name, table.schema, table.name)
        return Omission(name, why, is_expected, self.name)

    def _lock(self, left_out: Collection[Table]) -> None:
        """Lock the tables as the dump does, so that they hold still until they are digested too.

        They are locked before `pg_dump` starts, so that nobody who waits for us is in its way.
        Where there are too many of them, each is looked at after it was read.

        Raises:
            Moved: somebody waits for one of them already.

        """
        tables = [each for each in self._tables() if not each.is_view and each not in left_out]
        if not tables or len(tables) > capacity.locks(self.connection):
            return
        names = [sql.SQL("only {}").format(table.identifier) for table in tables]
        query = sql.SQL("lock table {} in access share mode nowait").format(
            sql.SQL(", ").join(names)
        )
        try:
            self.connection.execute(query)
        except (
            psycopg.errors.LockNotAvailable,
            psycopg.errors.UndefinedTable,
            psycopg.errors.InvalidSchemaName,
        ):
            raise Moved(["a table that somebody waits for"]) from None

    def _moved(self, left_out: Collection[Table]) -> list[Table]:
        """Return the tables that the dump shows otherwise than the snapshot."""
        return [
            table
            for table in self._tables()
            if not table.is_view  # which is made anew when it is loaded
            and table not in left_out
            and not digests.is_as_listed(self.connection, table)
        ]

    def _seal(self, found: Dumped, without: set[Table]) -> None:
        """Digest the tables in the same snapshot; one that cannot be read is named."""
        for table in self._tables():
            name = joined(self.name, table.schema, table.name)
            if table in without:
                continue
            if excluded(name, self.dumping.stanza.settings.seal_exclude):
                found.omitted.append(self._omission(table, EXCLUDED, is_expected=True))
                continue
            try:
                with self.connection.transaction(force_rollback=True):  # its indexes are locked too
                    digest = digests.digest(self.connection, table)
                    is_same = digests.is_as_listed(self.connection, table)
            except psycopg.Error as error:
                reason = f"it cannot be read: {type(error).__name__} ({error.sqlstate})"
                found.omitted.append(self._omission(table, reason))
            else:
                if is_same:
                    found.tables.append(sealed(self.name, table, digest))
                else:
                    why = REFRESHED if table.is_view else EMPTIED
                    found.omitted.append(self._omission(table, why, is_expected=table.is_view))
        large = digests.large_objects(self.connection)
        if large is not None:
            found.tables.append(sealed(self.name, None, large))
        found.facts, found.rules = count(self.connection, self.name, found.omitted)


def _sequences(
    database: str, before: dict[str, SequenceState], after: dict[str, SequenceState]
) -> dict[str, SequenceSeal]:
    """Return the states between which a dump has read sequences, which follow no snapshot."""
    return {
        f"{quoted(database)}.{name}": SequenceSeal(
            state, None if after[name].given == state.given else after[name]
        )
        for name, state in before.items()
        if name in after
    }


@contextmanager
def _beside(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Iterator[Future[T]]:
    """Do some work beside the block; when it fails, that is told, not what it did to the block."""
    with ThreadPoolExecutor(1, "beside") as pool:
        doing = pool.submit(work, *args, **kwargs)
        try:
            yield doing
        finally:
            doing.result()


def _exported(connection: Connection) -> str:
    """Let other sessions of the same database join this connection's snapshot."""
    name = _text(connection, "select pg_export_snapshot()")
    assert re.fullmatch(r"[0-9A-F-]+", name)  # noqa: S101 - as PostgreSQL names them
    return name


def _text(connection: Connection, query: str) -> str:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None  # noqa: S101 - each query gives a row
    return str(row[0])
