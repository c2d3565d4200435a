"""A seal beside what was found in a copy: one row a subject, for checks to look at."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tasks.postgres.names import joined, quoted
from tasks.postgres.schema_dump import Definition
from tasks.postgres.sequences import SequenceState
from tasks.postgres.table_digest import LARGE_OBJECTS
from tasks.repository.facts import COUNTED
from tasks.repository.fingerprint import OF_ALL, SHARED, Found
from tasks.repository.seal import (
    EVERY_KIND,
    Fact,
    Fingerprint,
    Omission,
    SequenceSeal,
    TableSeal,
)


Value = str | int | None
Relation = Literal["equal", "at least", "at most"]

UNREADABLE = "cannot be read"
"""What stands for the contents of a table that a copy does not give."""


@dataclass(frozen=True)
class Row:
    """One subject, such as a table: what was sealed and what the copy holds; None: not there."""

    subject: str
    sealed: Value
    copied: Value


@dataclass(frozen=True)
class Comparison:
    """Rows of one kind, and how the copy's values must stand to the sealed ones."""

    name: str
    rows: list[Row]
    relation: Relation = "equal"


@dataclass(frozen=True)
class Part:
    """What of a seal is compared at one restore point.

    Args:
        sealed: the whole seal.
        moment: the number of the restore point.
        is_loaded: whether the copy was loaded from a dump instead of recovered.

    """

    sealed: Fingerprint
    moment: int = 0
    is_loaded: bool = False
    prefixes: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Find out which databases are compared in whole."""
        names = map(quoted, self.databases)
        object.__setattr__(self, "prefixes", tuple(f"{name}." for name in names))

    @property
    def databases(self) -> list[str]:
        """The databases that were sealed at this restore point."""
        if not self.sealed.is_current:
            return sorted({table.database for table in self.sealed.tables})
        return [name for name, at in self.sealed.moments.items() if at == self.moment]

    @property
    def tables(self) -> dict[str, TableSeal]:
        """The tables that were sealed at this restore point."""
        return {each.name: each for each in self.sealed.tables if each.moment == self.moment}

    def may_differ(self, table: TableSeal) -> bool:
        """Tell whether a dump may carry other rows: of an extension, or of a view, made anew."""
        return self.is_loaded and (table.is_view or table.extension is not None)

    def has(self, name: str) -> bool:
        """Tell whether something belongs to a database that is compared in whole."""
        return name.startswith(self.prefixes)


def comparisons(part: Part, found: Found) -> list[Comparison]:
    """Lay what was sealed at a restore point beside what a copy holds there.

    Of a table under a `bounded` seal only rows that its snapshot saw are counted: those that
    outlived the restore point must be in the copy, and no more than the snapshot saw; one whose
    rows all outlived it must be equal.
    """
    if not part.sealed.is_current:
        return _of_earlier_versions(part, found)
    sealed = part.tables
    carried = {name: t for name, t in sealed.items() if not part.may_differ(t)}
    fixed = {name: t for name, t in carried.items() if t.stable_rows in (None, t.rows)}
    loose = {name: t for name, t in carried.items() if name not in fixed}
    compared = [
        Comparison("tables", _presence(part, found)),
        Comparison("row counts", _tables(fixed, found, "rows")),
        Comparison("contents", _tables(fixed, found, "digest")),
        Comparison("newest timestamps", _tables(fixed, found, "newest")),
        *_sequences(part, found),
    ]
    if loose:
        there = {name: table.rows for name in loose if (table := found.tables.get(name))}
        low = {name: table.stable_rows for name, table in loose.items()}
        high = {name: table.rows for name, table in loose.items()}
        compared.append(Comparison("rows that must be there", _beside(low, there), "at least"))
        compared.append(Comparison("rows that may be there", _beside(high, there), "at most"))
    if not part.is_loaded:
        compared.append(Comparison("definitions", definitions(part, found)))
    if part.sealed.altered is not None and found.altered is not None:
        rows = _beside(part.sealed.altered, found.altered)
        compared.append(Comparison("settings of ALTER SYSTEM", rows))
    compared += _facts(part, found)
    return compared if part.moment == 0 else [each for each in compared if each.rows]


def _of_earlier_versions(part: Part, found: Found) -> list[Comparison]:
    """Compare what a seal of an earlier version tells in the same way: rows, and sequences.

    Its digests were others, and so was the spelling of names that need quotes.
    """
    plain = {name: t for name, t in part.tables.items() if name == joined(*name.split("."))}
    fixed = {name: t for name, t in plain.items() if t.stable_rows in (None, t.rows)}
    there = {name: 1 for name in plain if name in found.tables}
    return [
        Comparison("tables", _beside(dict.fromkeys(plain, 1), there)),
        Comparison("row counts", _tables(fixed, found, "rows")),
        Comparison("newest timestamps", _tables(fixed, found, "newest")),
        *_sequences(part, found),
    ]


def of_extensions(part: Part, found: Found) -> list[str]:
    """Name the tables of extensions that a dump has not carried, or with other rows.

    An extension makes its own; one that somebody added to it is in no dump.
    """
    return [
        f"{name} ({table.extension})"
        for name, table in part.tables.items()
        if table.extension and (_is_other(part, table, found) or _is_lost(part, table, found))
    ]


def refreshed(part: Part, found: Found) -> list[str]:
    """Name the materialized views that were stale in the source, and are fresh in the copy."""
    return [
        f"{name} (it was stale, and is refreshed when it is loaded)"
        for name, table in part.tables.items()
        if table.is_view and _is_other(part, table, found)
    ]


def _is_lost(part: Part, table: TableSeal, found: Found) -> bool:
    return part.is_loaded and table.extension is not None and table.name not in found.listed


def _is_other(part: Part, table: TableSeal, found: Found) -> bool:
    copied = found.tables.get(table.name)
    return part.may_differ(table) and copied is not None and copied.digest != table.digest


def _beside(sealed: Mapping[str, Value], copied: Mapping[str, Value]) -> list[Row]:
    names = sorted(sealed.keys() | copied.keys())
    return [Row(name, sealed.get(name), copied.get(name)) for name in names]


def _presence(part: Part, found: Found) -> list[Row]:
    """Lay the lists of tables side by side; of one that came or went meanwhile nothing is known."""
    doubtful = {each.subject for each in part.sealed.not_compared}
    doubtful |= {each.name for each in part.sealed.tables if each.moment != part.moment}
    expected = {name for name, each in part.tables.items() if each.table != LARGE_OBJECTS}
    expected -= {name for name, each in part.tables.items() if _is_lost(part, each, found)}
    expected |= {name for name in part.sealed.not_due if part.has(name)}
    there = {name for name in found.listed if part.has(name) or name in expected}
    return _beside(dict.fromkeys(expected, 1), dict.fromkeys(there - (doubtful - expected), 1))


def _tables(sealed: Mapping[str, TableSeal], found: Found, of: str) -> list[Row]:
    """Lay one property of the tables side by side, where both have the table."""
    rows = []
    for name, table in sealed.items():
        if name in found.tables:
            copied = found.tables[name]
            value = getattr(copied, of) if copied else UNREADABLE
            rows.append(Row(name, getattr(table, of), value))
        elif table.table == LARGE_OBJECTS:
            rows.append(Row(name, getattr(table, of), None))
    more = found.tables.keys() - sealed.keys()
    rows += [Row(name, None, 1) for name in sorted(more) if name.endswith(f".{LARGE_OBJECTS}")]
    return rows


def definitions(part: Part, found: Found) -> list[Row]:
    """Lay the definitions side by side, but for what did not hold still and what needs that."""
    sealed = part.sealed.definitions
    if sealed is None:
        return []
    rows: list[Row] = []
    for name in part.databases:
        prefix = f"{quoted(name)}: "
        omitted = [each for each in part.sealed.omitted + found.omitted if each.database == name]
        rows += _definitions(prefix, sealed, found.definitions, omitted)
    if part.moment == 0 and not any(each.subject == SHARED for each in _omitted(part, found)):
        rows += _beside(
            {name: digest for name, digest in sealed.items() if name.startswith(OF_ALL)},
            {
                name: each.digest
                for name, each in found.definitions.items()
                if name.startswith(OF_ALL)
            },
        )
    return rows


def _omitted(part: Part, found: Found) -> Iterable[Omission]:
    return (*part.sealed.omitted, *found.omitted)


def _definitions(
    prefix: str,
    sealed: Mapping[str, str],
    copied: Mapping[str, Definition],
    omitted: Collection[Omission],
) -> list[Row]:
    keys = {key for each in omitted for key in each.keys}
    kinds = {kind for each in omitted for kind in each.kinds}
    if EVERY_KIND in kinds:
        return []
    unknown = {name for name, each in copied.items() if not each.keys.isdisjoint(keys)}
    without = tuple(f"{prefix}{kind.lower()} " for kind in kinds)

    def is_compared(name: str) -> bool:
        return name.startswith(prefix) and not name.startswith(without) and name not in unknown

    return _beside(
        {name: digest for name, digest in sealed.items() if is_compared(name)},
        {name: each.digest for name, each in copied.items() if is_compared(name)},
    )


def _sequences(part: Part, found: Found) -> list[Comparison]:
    """Lay sequences side by side: equal, or between the two states that were seen of one that ran.

    Seals of earlier versions tell a lower bound only.
    """
    known = part.sealed.sequence_states
    if known is None:
        old = part.sealed.sequences
        there = {name: state.replayed[0] for name, state in found.sequences.items() if name in old}
        return [Comparison("sequences", _beside(old, there), "at least")]
    sealed = {name: each for name, each in known.items() if part.has(name)}
    still = {name: each for name, each in sealed.items() if each.after is None}
    ran = {name: each for name, each in sealed.items() if name not in still and _is_ahead(each)}
    copied = found.sequences
    equal = _beside(
        {name: str(_state(part, each.before)) for name, each in still.items()},
        {name: str(_state(part, copied[name])) for name in still if name in copied},
    )
    there = {name: _state(part, copied[name])[0] for name in ran if name in copied}
    low = {name: _state(part, each.before)[0] for name, each in ran.items()}
    high = {name: _state(part, each.after or each.before)[0] for name, each in ran.items()}
    compared = [Comparison("sequences", equal)]
    if ran:
        compared.append(Comparison("sequences that ran", _beside(low, there), "at least"))
        compared.append(Comparison("sequences that ran on", _beside(high, there), "at most"))
    return compared


def _state(part: Part, state: SequenceState) -> tuple[int, bool]:
    return state.given if part.is_loaded else state.replayed


def _is_ahead(sealed: SequenceSeal) -> bool:
    """Tell whether a sequence only ran on; one that was set back has no bounds."""
    after = sealed.after or sealed.before
    return after.replayed >= sealed.before.replayed and after.given >= sealed.before.given


def _facts(part: Part, found: Found) -> list[Comparison]:
    def of(facts: Iterable[Fact], check: str) -> dict[str, Value]:
        return {fact.subject: fact.value for fact in facts if fact.check == check}

    begins = tuple(f"{name}: " for name in part.databases)
    sealed = [fact for fact in part.sealed.facts if fact.subject.startswith(begins)]
    if not sealed:
        return []
    kinds = {fact.check for fact in [*sealed, *found.facts]}
    return [
        Comparison(
            question.name,
            _beside(of(sealed, question.name), of(found.facts, question.name)),
        )
        for question in COUNTED
        if question.name in kinds
    ]
