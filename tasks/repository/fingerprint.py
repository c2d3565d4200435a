"""The fingerprint of a server that nobody writes: a copy, held against what was sealed."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tasks.control.errors import OpsError
from tasks.postgres import schema_dump, sequences, table_digest
from tasks.postgres.databases import databases
from tasks.postgres.names import quoted
from tasks.postgres.schema_dump import Definition
from tasks.postgres.sequences import SequenceState
from tasks.postgres.server import Connection, Server
from tasks.postgres.table_digest import LARGE_OBJECTS, PERMANENT, PINNED, UNLOGGED, Digest, Table
from tasks.repository import facts
from tasks.repository.seal import (
    EVERY_KIND,
    Fact,
    Fingerprint,
    Omission,
    SequenceSeal,
    TableSeal,
)


Progress = Callable[[str], None]
"""Called with the name of each table when it is about to be digested."""


def _silent(_table: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Scope:
    """What of a server is looked at.

    Args:
        databases: those that are looked at in whole; None: all that take connections.
        tables: full names, with their database, of those that are digested; None: all.
        without: full names of what is not digested, large objects among them.
        since: snapshots by full names of tables; only rows that these saw are counted.
        as_text: the server was loaded from a dump, or is to be compared with one that is.
        shared: whether roles, tablespaces and settings are looked at.

    """

    databases: Collection[str] | None = None
    tables: Collection[str] | None = None
    without: Collection[str] = ()
    since: Mapping[str, str] = field(default_factory=dict)
    as_text: bool = False
    shared: bool = True

    def has(self, table: str) -> bool:
        """Tell whether a table is digested."""
        return table not in self.without and (self.tables is None or table in self.tables)

    @property
    def persistence(self) -> tuple[str, ...]:
        """The kinds of tables: a recovered copy has unlogged ones empty, a loaded one has not."""
        return (PERMANENT, UNLOGGED) if self.as_text else (PERMANENT,)


ALL = Scope()


@dataclass
class Found:
    """What a server was found to hold.

    Args:
        tables: digests, by full name; None: the table cannot be read.
        databases: the names of those that were looked at in whole.
        listed: the names of all its tables.
        sequences: their states, by full name.
        definitions: by `database: kind name`, and by `kind name` of what all databases share.
        facts: counted facts of the platform.
        rules: how often its rules are broken.
        omitted: what could not be looked at.
        altered: the settings of `ALTER SYSTEM`; None: they were not looked at.

    """

    tables: dict[str, TableSeal | None] = field(default_factory=dict)
    databases: list[str] = field(default_factory=list)
    listed: set[str] = field(default_factory=set)
    sequences: dict[str, SequenceState] = field(default_factory=dict)
    definitions: dict[str, Definition] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    rules: list[Fact] = field(default_factory=list)
    omitted: list[Omission] = field(default_factory=list)
    altered: dict[str, str] | None = None

    def sealed(self) -> Fingerprint:
        """Return it as a seal holds it."""
        return Fingerprint(
            tables=[table for table in self.tables.values() if table],
            facts=self.facts,
            rules=self.rules,
            moments=dict.fromkeys(self.databases, 0),
            definitions={name: each.digest for name, each in self.definitions.items()},
            sequence_states={name: SequenceSeal(each) for name, each in self.sequences.items()},
            omitted=self.omitted,
        )


def of_server(
    server: Server, tools: Path, scope: Scope = ALL, progress: Progress = _silent
) -> Found:
    """Look at a server that nobody writes.

    Args:
        server: any database of it.
        tools: the directory of PostgreSQL's programs.
        scope: what is looked at.
        progress: told of each table.

    """
    look = Look(tools, scope, progress)
    with server.connect() as connection:
        known = databases(connection).open
    for name in known:
        is_whole = scope.databases is None or name in scope.databases
        if is_whole or any(each.startswith(f"{quoted(name)}.") for each in scope.tables or ()):
            look.at(server.database(name), name, is_whole=is_whole)
    if scope.shared:
        look.found.definitions |= _shared(tools, server, scope, look.found.omitted)
    return look.found


def of_database(server: Server, name: str, tools: Path, scope: Scope) -> Found:
    """Look at one database, under the name that it has in another cluster, or had."""
    look = Look(tools, scope)
    look.at(server, name)
    return look.found


@dataclass(frozen=True)
class Look:
    """One look at a server: with which programs, at what of it, and what was found so far."""

    tools: Path
    scope: Scope
    progress: Progress = _silent
    found: Found = field(default_factory=Found)

    def at(self, server: Server, name: str, *, is_whole: bool = True) -> None:
        """Look at a database, or at some tables of it alone."""
        with server.connect() as connection:
            connection.execute(PINNED.encode())
            self._tables(connection, name)
            if not is_whole:
                return
            found, prefix = self.found, f"{quoted(name)}."
            found.databases.append(name)
            large = f"{prefix}{LARGE_OBJECTS}"
            if large not in self.scope.without:
                digest = table_digest.large_objects(connection)
                found.tables |= {large: sealed(name, None, digest)} if digest else {}
            states = sequences.states(connection, self.scope.persistence)
            found.sequences |= {f"{prefix}{each}": state for each, state in states.items()}
            counted, broken = count(connection, name, found.omitted)
            found.facts += counted
            found.rules += broken
        found.definitions |= _definitions(self.tools, server, name, found.omitted)

    def _tables(self, connection: Connection, name: str) -> None:
        scope, found = self.scope, self.found
        for table in table_digest.tables(connection, scope.persistence, as_text=scope.as_text):
            full = f"{quoted(name)}.{table.full_name}"
            found.listed.add(full)
            if scope.has(full):
                self.progress(table.full_name)
                found.tables[full] = _digested(connection, name, table, scope.since.get(full))


def _digested(
    connection: Connection, database: str, table: Table, since: str | None
) -> TableSeal | None:
    """Digest a table; None: it cannot be read, and nobody changes it meanwhile."""
    try:
        return sealed(database, table, table_digest.digest(connection, table, since))
    except psycopg.Error:
        if connection.closed:
            raise
        return None


def sealed(database: str, table: Table | None, digest: Digest, moment: int = 0) -> TableSeal:
    """Return what is known of a table, or of all large objects, as a seal holds it."""
    return TableSeal(
        database,
        table.full_name if table else LARGE_OBJECTS,
        digest.rows,
        digest.digest,
        digest.newest,
        moment=moment,
        extension=table.extension if table else None,
        is_view=bool(table and table.is_view),
    )


def count(
    connection: Connection, database: str, omitted: list[Omission]
) -> tuple[list[Fact], list[Fact]]:
    """Count the platform's facts, and how often its rules are broken; none where that fails."""
    try:
        with connection.transaction(force_rollback=True):
            return facts.of(connection, database)
    except psycopg.Error as error:
        reason = f"its views cannot be counted: {type(error).__name__}"
        omitted.append(Omission(f"messages of database {database}", reason, database=database))
        return [], []


def _definitions(
    tools: Path, server: Server, name: str, omitted: list[Omission]
) -> dict[str, Definition]:
    try:
        found = schema_dump.of_database(tools, server)
    except OpsError as error:
        subject = f"definitions of database {name}"
        omitted.append(Omission(subject, str(error), database=name, kinds=[EVERY_KIND]))
        return {}
    return {f"{quoted(name)}: {each.name}": each for each in found}


def _shared(
    tools: Path, server: Server, scope: Scope, omitted: list[Omission]
) -> dict[str, Definition]:
    """Look at what all databases share; of a loaded copy each database is held against its dump."""
    try:
        found = schema_dump.of_cluster(tools, server)
        if not scope.as_text:
            found |= schema_dump.databases_of(server)
    except OpsError as error:
        omitted.append(Omission(SHARED, str(error)))
        return {}
    return {
        f"{OF_ALL}{name}": Definition(name, "GLOBAL", digest, frozenset())
        for name, digest in found.items()
    }


OF_ALL = "all databases: "
"""What names begin with of what all databases share; no database's own do, quoted as it is."""

SHARED = "roles, memberships, tablespaces and settings"
"""What all databases share."""
