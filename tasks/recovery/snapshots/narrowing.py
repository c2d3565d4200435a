"""What of a seal a copy must hold that only some databases or tables were loaded into."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from tasks.recovery.snapshots.picking import Picked
from tasks.recovery.snapshots.selection import Selection
from tasks.repository.seal import Measure


ABOUT_TABLES = ("columns of", "relation", "constraint", "trigger", "policy")
"""Kinds of objects that belong to a table, whose name begins theirs."""

OF_DATABASES = ("database", "setting")
"""Kinds that all databases share, and that each tell of one of them."""


def narrowed(
    selection: Selection, sealed: Measure, found: Measure, picked: Mapping[str, Picked]
) -> Measure:
    """Return what of a seal a copy must hold.

    Whatever is in the copy must be as it was sealed; and all that is wanted must be in it.

    Args:
        selection: what is wanted.
        sealed: of all databases.
        found: what was measured in the copy.
        picked: the entries that were loaded, of each database of which only tables are wanted.

    """
    if selection.is_all:
        return sealed
    whole = {*selection.databases}
    tables = {
        table.name
        for table in sealed.tables
        if table.database in picked and picked[table.database].holds_rows_of(table.table)
    }

    def is_there(key: str) -> bool:
        database, colon, rest = key.partition(": ")
        if not colon:
            return _is_shared(key, {*whole, *picked})
        if database in whole:
            return True
        of_it = [name for name in tables if name.startswith(f"{database}.")]
        return database in picked and _belongs(f"{database}.", rest, of_it, picked[database])

    return replace(
        sealed,
        tables=[each for each in sealed.tables if each.database in whole or each.name in tables],
        sequences={
            name: value
            for name, value in sealed.sequences.items()
            if name in found.sequences or name.partition(".")[0] in whole
        },
        structure={
            key: digest
            for key, digest in sealed.structure.items()
            if key in found.structure or is_there(key)
        },
        facts=[fact for fact in sealed.facts if fact.subject.partition(": ")[0] in whole],
        rules=[fact for fact in sealed.rules if fact.subject in whole],
        skipped=[name for name in sealed.skipped if name.partition(".")[0] in whole],
    )


def without(selection: Selection, found: Measure, picked: Mapping[str, Picked]) -> Measure:
    """Return what was measured in a copy, but for what came along without being wanted.

    Tables of which only the definition is there are compared by their structure alone, and no
    facts are counted where only some tables are.
    """
    if selection.is_all:
        return found
    whole = {*selection.databases}
    return replace(
        found,
        tables=[
            each
            for each in found.tables
            if each.database in whole
            or (each.database in picked and picked[each.database].holds_rows_of(each.table))
        ],
        structure={
            key: digest
            for key, digest in found.structure.items()
            if (": " not in key and _is_shared(key, {*whole, *picked}))
            or key.partition(": ")[0] in {*whole, *picked}
        },
        facts=[fact for fact in found.facts if fact.subject.partition(": ")[0] in whole],
    )


def _is_shared(key: str, databases: Collection[str]) -> bool:
    """Tell whether an object that all databases share is one of those that are wanted."""
    kind, _, name = key.partition(" ")
    return kind not in OF_DATABASES or name.partition("/")[0] in (*databases, "*")


def _belongs(prefix: str, rest: str, tables: Collection[str], picked: Picked) -> bool:
    """Tell whether an object belongs to one of some tables, and was not left out."""
    for table in tables:
        for kind in ABOUT_TABLES:
            begin = f"{kind} {table.removeprefix(prefix)}"
            if rest == begin:
                return True
            if rest.startswith(f"{begin}."):
                return not picked.lacks(rest.removeprefix(f"{begin}."))
    return False
