"""Hold what was loaded of a snapshot against its seal, object by object."""

from collections.abc import Mapping

from tasks.postgres.server import Server
from tasks.recovery.proving.holding import contents, measured
from tasks.recovery.snapshots.narrowing import narrowed, without
from tasks.recovery.snapshots.picking import Picked
from tasks.recovery.snapshots.selection import Selection
from tasks.repository.model import Backup
from tasks.repository.seal import Measure


_INDEXES = """
select count(*) from pg_index i join pg_class c on c.oid = i.indexrelid
  join pg_namespace n on n.oid = c.relnamespace
where n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
  and not exists (select from pg_constraint k where k.conindid = i.indexrelid
    and k.contype in ('p', 'u', 'x'))
"""


def compare(
    backup: Backup,
    selection: Selection,
    sealed: Measure,
    server: Server,
    picked: Mapping[str, Picked],
) -> list[str]:
    """Return in what a copy differs from its seal: roles, grants, extensions, rows, and the rest.

    Args:
        backup: the snapshot.
        selection: what was wanted of it.
        sealed: what was measured of its source.
        server: the copy.
        picked: the entries that were loaded, of each database of which only tables are wanted.

    """
    found = without(selection, measured(server, backup, sealed), picked)
    seal = narrowed(selection, sealed, found, picked)
    checks = contents(backup, seal, server, found)
    bad = [check for check in checks if check.outcome in ("fail", "error")]
    told = [f"{check.name.partition(':')[0]}: {check.seen}" for check in bad]
    return [*told, *_lost_indexes(server, picked)]


def _lost_indexes(server: Server, picked: Mapping[str, Picked]) -> list[str]:
    """Say of which database an index is missing; a seal does not tell whose an index is."""
    told = []
    for database, each in picked.items():
        with server.database(database).connect() as connection:
            row = connection.execute(_INDEXES.encode()).fetchone()
        if row is None or row[0] != each.indexes:
            told.append(f"indexes of {database}: {row and row[0]} of {each.indexes}")
    return told
