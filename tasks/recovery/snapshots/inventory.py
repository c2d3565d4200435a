"""Hold what was loaded of a snapshot against its seal, object by object."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from tasks.postgres.names import joined, quoted, split
from tasks.postgres.server import Server, identify
from tasks.recovery.copies.fixpoint import LoadedDump
from tasks.recovery.proving import holding, loaded
from tasks.recovery.proving.comparison import Part
from tasks.recovery.snapshots.picking import Picked
from tasks.repository.model import Backup
from tasks.repository.seal import Fingerprint, Omission


def compare(
    backup: Backup,
    sealed: Fingerprint,
    server: Server,
    dumps: Mapping[str, LoadedDump],
    picked: Mapping[str, Picked],
    *,
    problems: Collection[str] = (),
) -> list[str]:
    """Return in what a copy differs from its seal: roles, grants, extensions, rows, and the rest.

    Args:
        backup: the snapshot.
        sealed: what was sealed of its source.
        server: the copy.
        dumps: by database, what was loaded into it.
        picked: the entries that were loaded, of each database of which only tables are wanted.
        problems: what could not be loaded.

    """
    part = Part(subset(sealed, dumps, picked), is_loaded=True)
    tools = next(iter(dumps.values())).tools
    found = holding.look(server, tools, backup, part)
    across = identify(server).major != backup.server_version // 10000
    checks = [
        *holding.contents(part, server, found),
        *loaded.checks(part, found, dumps, problems, across=across),
    ]
    bad = [each for each in checks if each.outcome != "pass"]
    return [f"{check.name.partition(':')[0]}: {check.seen}" for check in bad]


def subset(
    sealed: Fingerprint, databases: Collection[str], picked: Mapping[str, Picked]
) -> Fingerprint:
    """Return what of a seal a copy must hold that only some databases or tables were loaded into.

    Definitions of databases are held against the dump itself. Tables of which only the definition
    is there have no rows to compare, and no facts are counted where only some tables are.
    """
    whole = {name for name in databases if name not in picked}

    def is_wanted(database: str, table: str) -> bool:
        return database in whole or (database in picked and picked[database].holds_rows_of(table))

    left_out = [each for each in sealed.tables if not is_wanted(each.database, each.table)]
    prefixes = tuple(f"{quoted(name)}." for name in whole)
    return replace(
        sealed,
        tables=[each for each in sealed.tables if is_wanted(each.database, each.table)],
        moments=dict.fromkeys(databases, 0),
        sequence_states={
            name: state
            for name, state in (sealed.sequence_states or {}).items()
            if name.startswith(prefixes) or _is_picked(name, picked)
        },
        facts=[fact for fact in sealed.facts if fact.subject.partition(": ")[0] in whole],
        rules=[fact for fact in sealed.rules if fact.subject in whole],
        omitted=[each for each in sealed.omitted if each.database in whole]
        + [
            Omission(t.name, "not wanted", is_expected=True, database=t.database)
            for t in left_out
            if t.database in picked
        ],
        skipped=[],
    )


def _is_picked(sequence: str, picked: Mapping[str, Picked]) -> bool:
    database, *name = split(sequence)
    return database in picked and picked[database].holds_state_of(joined(*name))
