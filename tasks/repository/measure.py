"""Measure a cluster: the same questions to the source when it is sealed and to a copy of it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from tasks.control.errors import Transient
from tasks.postgres import contents, structure
from tasks.postgres.contents import Table
from tasks.postgres.server import Connection, Server
from tasks.repository import facts
from tasks.repository.seal import Measure, TableSeal


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


def measure(
    connections: Mapping[str, Connection],
    tables: Mapping[str, list[Table]],
    sequences: dict[str, int],
    since: Mapping[str, str] | None = None,
    progress: Progress = lambda _: None,
) -> Measure:
    """Measure a cluster in the snapshots of its connections.

    Args:
        connections: one a database, each in the snapshot to be measured.
        tables: the tables of each database.
        sequences: read beforehand, since they do not follow snapshots.
        since: a snapshot a database; only rows that it saw are counted, and no large objects.
        progress: told of each table.

    """
    built = structure.of_cluster(next(iter(connections.values())))
    found = []
    for name, connection in connections.items():
        built |= structure.of_database(connection, name)
        for table in tables[name]:
            progress(table.full_name)
            digest = contents.digest(connection, table, (since or {}).get(name))
            found.append(
                TableSeal(name, table.full_name, digest.rows, digest.digest, digest.newest)
            )
        large = None if since else contents.large_objects(connection)
        if large is not None:
            found.append(TableSeal(name, contents.LARGE_OBJECTS, large.rows, large.digest, None))
    counted = [
        fact for name, connection in connections.items() for fact in facts.count(connection, name)
    ]
    rules = [
        fact for name, connection in connections.items() for fact in facts.broken(connection, name)
    ]
    return Measure(found, sequences, built, counted, rules)
