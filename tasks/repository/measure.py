"""Measure a cluster: the same questions to the source when it is sealed and to a copy of it."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from tasks.control.errors import Transient
from tasks.postgres import contents, structure
from tasks.postgres.contents import Table
from tasks.postgres.server import Connection, Server
from tasks.repository import facts
from tasks.repository.pace import Pace
from tasks.repository.seal import Fact, Measure, TableSeal


PORTION_BLOCKS = 4096
"""How much of a table is read at a time, where there is a limit: 32 MiB."""

BLOCK_BYTES = 8192

Progress = Callable[[str], None]
"""Called with the name of each table when it is about to be digested."""


@contextmanager
def everywhere(server: Server) -> Iterator[dict[str, Connection]]:
    """Connect to every database of a server, with the settings that digests depend on pinned."""
    with ExitStack() as stack:
        asked = stack.enter_context(server.connect())
        connections = {}
        for name in contents.databases(asked):
            try:
                connections[name] = stack.enter_context(server.database(name).connect())
            except Transient:
                if name in contents.databases(asked):
                    raise
                continue  # it was dropped meanwhile
            connections[name].execute(contents.PINNED)
        yield connections


def tables_of(
    connections: Mapping[str, Connection], *, as_text: bool = False
) -> dict[str, list[Table]]:
    """List the permanent tables of every database; ask outside a transaction.

    Args:
        connections: one a database.
        as_text: digest rows by their text, as a copy needs that was loaded from a dump: the hash of
            an enumerated value is that of its number, which is another one there.

    """
    found = {name: contents.tables(connection) for name, connection in connections.items()}
    if as_text:
        return {
            name: [replace(table, is_hashable=False) for table in tables]
            for name, tables in found.items()
        }
    return {name: contents.with_hashes(connections[name], found[name]) for name in found}


def sequences_of(connections: Mapping[str, Connection]) -> dict[str, int]:
    """Return how far the sequences of every database have run."""
    return {
        f"{name}.{sequence}": value
        for name, connection in connections.items()
        for sequence, value in contents.sequences(connection).items()
    }


@dataclass(frozen=True)
class Terms:
    """On what terms a cluster is measured.

    Args:
        since: a snapshot a database; only rows that it saw are counted, and no large objects.
        pace: how fast, and for how long.
        known: tables whose digests are known already, by their full names with the database.
        skip: tables that are not wanted, by these names; it is only told whether they are there.
        first: tables that are digested before the others.
        as_of: the version of the server that it is compared with; what only newer ones have is
            left out.

    """

    since: Mapping[str, str] | None = None
    pace: Pace | None = None
    known: Mapping[str, TableSeal] = field(default_factory=dict)
    skip: Collection[str] = ()
    first: Collection[str] = ()
    as_of: int = structure.AS_IT_IS


ALL = Terms()


def measure(
    connections: Mapping[str, Connection],
    tables: Mapping[str, list[Table]],
    sequences: dict[str, int],
    terms: Terms = ALL,
    progress: Progress = lambda _: None,
) -> Measure:
    """Measure a cluster in the snapshots of its connections.

    Args:
        connections: one a database, each in the snapshot to be measured.
        tables: the tables of each database.
        sequences: read beforehand, since they do not follow snapshots.
        terms: on what terms.
        progress: told of each table.

    """
    built = structure.of_cluster(next(iter(connections.values())), terms.as_of)
    found, skipped, members = [], [], []
    for database, connection in connections.items():
        built |= structure.of_database(connection, database, terms.as_of)
        members += structure.members(connection, database)
        named = {f"{database}.{table.full_name}": table for table in tables[database]}
        for name in sorted(named, key=lambda each: each not in terms.first):
            progress(named[name].full_name)
            sealed = terms.known.get(name) or _sealed(connection, database, named[name], terms)
            if sealed is None:
                skipped.append(name)
            else:
                found.append(sealed)
        large = None if terms.since else contents.large_objects(connection)
        if large is not None:
            found.append(
                TableSeal(database, contents.LARGE_OBJECTS, large.rows, large.digest, None)
            )
    counted, rules = ([], []) if skipped else _facts(connections)
    return Measure(found, sequences, built, counted, rules, skipped, members=members)


def _facts(connections: Mapping[str, Connection]) -> tuple[list[Fact], list[Fact]]:
    found = [facts.of(connection, name) for name, connection in connections.items()]
    return (
        [fact for counted, _ in found for fact in counted],
        [fact for _, broken in found for fact in broken],
    )


def _sealed(connection: Connection, database: str, table: Table, terms: Terms) -> TableSeal | None:
    """Digest a table at the pace that is wanted; None: it is not wanted, or the time is over."""
    if f"{database}.{table.full_name}" in terms.skip:
        return None
    since = (terms.since or {}).get(database)
    if terms.pace is None or terms.pace.is_free:
        digest = contents.digest(connection, table, since)
    else:
        parts = _parts(connection, table, since, terms.pace)
        if parts is None:
            return None
        digest = contents.joined(connection, parts)
    return TableSeal(database, table.full_name, digest.rows, digest.digest, digest.newest)


def _parts(
    connection: Connection, table: Table, since: str | None, pace: Pace
) -> list[contents.Digest] | None:
    """Digest a table portion by portion; None: the time ran out before its end."""
    count = contents.block_count(connection, table)
    parts = []
    for first in range(0, max(count, 1), PORTION_BLOCKS):
        if pace.is_over:
            return None
        end = first + PORTION_BLOCKS
        blocks = (first, end if end < count else None)
        parts.append(contents.digest(connection, table, since, blocks))
        pace.step((min(end, count) - first) * BLOCK_BYTES)
    return parts
