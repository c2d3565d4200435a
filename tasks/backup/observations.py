"""What a seal observes of databases besides their tables: sequences, facts, names, old digests."""

import logging
from dataclasses import replace

import psycopg

from tasks.backup import unchanged
from tasks.backup.consistent_snapshot import ConsistentSnapshot
from tasks.backup.digest_reader import Readings
from tasks.backup.sessions import Sessions
from tasks.backup.unchanged import Earlier, candidates
from tasks.postgres import catalog_state, sequences, table_digest
from tasks.postgres.catalog_state import Key
from tasks.postgres.names import quoted
from tasks.postgres.sequences import SequenceState
from tasks.postgres.server import Connection
from tasks.postgres.table_digest import PERMANENT, UNLOGGED
from tasks.repository.fingerprint import count
from tasks.repository.seal import EXACT, Fact, Omission, SequenceSeal, Standing, TableSeal


log = logging.getLogger(__name__)


def table_names(point: ConsistentSnapshot) -> dict[str, dict[Key, str]]:
    """Return what the tables are called that the snapshots show."""
    return {
        name: {(catalog_state.RELATIONS, each.oid): each.full_name for each in tables}
        for name, tables in point.tables.items()
    }


def known_digests(
    opened: Sessions,
    earlier: Earlier | None,
    now: dict[str, Standing],
    sizes: dict[str, int],
    point: ConsistentSnapshot,
) -> dict[str, TableSeal]:
    """Return the digests that hold still, where that is worth finding out."""
    found = candidates(earlier, now) if point.mode in EXACT else {}
    if earlier is None or sum(sizes[name] for name in found) < unchanged.WORTH_BYTES:
        return {}
    proven = unchanged.unchanged(opened.actor, earlier, found, now, point.lsn)
    return {
        name: replace(table, taken_from=table.taken_from or earlier.backup)
        for name, table in proven.items()
    }


def sequence_states(opened: Sessions, omitted: list[Omission]) -> dict[str, SequenceState]:
    """Return the states of all sequences, as they are now; name those that cannot be read."""
    found: dict[str, SequenceState] = {}
    unread: list[Omission] = []
    for name, connection in opened.lockers.items():
        try:
            read = sequences.read(connection, (PERMANENT,))
        except psycopg.Error:
            unread.append(Omission(f"sequences of database {name}", UNREAD, database=name))
            continue
        found |= {f"{quoted(name)}.{each}": state for each, state in read.states.items()}
        unread += [
            Omission(f"{quoted(name)}.{each}", UNREAD, database=name) for each in read.unread
        ]
    omitted += [each for each in unread if each not in omitted]
    return found


def sealed_sequences(
    before: dict[str, SequenceState], after: dict[str, SequenceState]
) -> dict[str, SequenceSeal]:
    """Return the two states of each sequence between which its restore point lies."""
    return {
        name: SequenceSeal(state, None if after[name] == state else after[name])
        for name, state in before.items()
        if name in after
    }


def counted_facts(
    opened: Sessions, point: ConsistentSnapshot, readings: Readings
) -> tuple[dict[str, list[Fact]], dict[str, list[Fact]]]:
    """Count the platform's facts of each database whose tables all held still until then."""
    facts: dict[str, list[Fact]] = {}
    rules: dict[str, list[Fact]] = {}
    for name, connection in opened.readers.items():
        if point.mode == "bounded" or name in readings.lost:
            continue
        counted, broken = count(connection, name, readings.omitted)
        if not counted and not broken:
            continue
        tables = point.tables.get(name, ())
        if all(table_digest.is_as_listed(connection, table) for table in tables):
            facts[name], rules[name] = counted, broken
        else:
            subject, reason = f"messages of database {name}", "tables were rewritten meanwhile"
            readings.omitted.append(Omission(subject, reason, database=name))
    return facts, rules


def unlogged_tables(opened: Sessions) -> list[Omission]:
    """Name the unlogged tables, which are empty in every copy that was recovered."""
    return [
        Omission(f"{quoted(name)}.{each.full_name}", EMPTY, is_expected=True, database=name)
        for name, connection in opened.readers.items()
        if not connection.closed
        for each in table_digest.tables(connection, (UNLOGGED,))
    ]


def in_own_schemas(name: str, connection: Connection) -> list[Omission]:
    """Name what lies in PostgreSQL's own schemas of a database, and is compared by nothing."""
    found = catalog_state.untold(connection)
    return [Omission(f"{quoted(name)}: {each}", IN_OWN, database=name) for each in found]


IN_OWN = "it lies in a schema of PostgreSQL's own, which no dump tells of"

UNREAD = "the state of the sequence could not be read"

EMPTY = "it is unlogged: empty after every recovery"
"""Why an unlogged table is not compared."""
