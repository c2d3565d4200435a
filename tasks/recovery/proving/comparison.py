"""A seal beside what was measured in a copy: one row a subject, for checks to look at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from tasks.postgres.structure import portable
from tasks.repository.facts import COUNTED
from tasks.repository.seal import Measure, SealMode, TableSeal


Value = str | int | None
Relation = Literal["equal", "at least", "at most"]


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


def comparisons(
    mode: SealMode, seal: Measure, copy: Measure, *, across: bool = False
) -> list[Comparison]:
    """Lay a seal beside a copy.

    Under a `bounded` seal only rows that its snapshots saw are counted: those that outlived the
    restore point must be in the copy, and no more than the snapshots saw; a table whose rows all
    outlived it must be equal. Counted facts follow from the tables, and are not compared then.

    Args:
        mode: of the seal.
        seal: what was measured in the source.
        copy: what was measured in the copy.
        across: whether the copy is served by another major version, which spells some definitions
            in its own way and has other versions of extensions.

    """
    sealed = {table.name: table for table in seal.tables}
    copied = {table.name: table for table in copy.tables}
    fixed = {name: t for name, t in sealed.items() if t.stable_rows in (None, t.rows)}
    loose = {name: t for name, t in sealed.items() if name not in fixed}
    found = [
        Comparison(
            "tables",
            _beside(
                dict.fromkeys([*sealed, *seal.skipped], 1),
                dict.fromkeys([*copied, *copy.skipped], 1),
            ),
        ),
        Comparison("row counts", _tables(fixed, copied, lambda table: table.rows)),
        Comparison("contents", _tables(fixed, copied, lambda table: table.digest)),
        Comparison("newest timestamps", _tables(fixed, copied, lambda table: table.newest)),
        Comparison("structure", _structure(seal, copy, across=across)),
        Comparison("sequences", _sequences(seal, copy), "at least"),
    ]
    if loose:
        low = {name: table.stable_rows for name, table in loose.items()}
        high = {name: table.rows for name, table in loose.items()}
        there = {name: table.rows for name, table in copied.items() if name in loose}
        found.append(Comparison("rows that must be there", _beside(low, there), "at least"))
        found.append(Comparison("rows that may be there", _beside(high, there), "at most"))
    return found if mode == "bounded" else found + _facts(seal, copy)


def _beside(sealed: Mapping[str, Value], copied: Mapping[str, Value]) -> list[Row]:
    names = sorted(sealed.keys() | copied.keys())
    return [Row(name, sealed.get(name), copied.get(name)) for name in names]


def _tables(
    sealed: dict[str, TableSeal], copied: dict[str, TableSeal], of: Callable[[TableSeal], Value]
) -> list[Row]:
    """Lay one property of the tables side by side, where both have the table."""
    return [
        Row(name, of(table), of(copied[name])) for name, table in sealed.items() if name in copied
    ]


def _structure(seal: Measure, copy: Measure, *, across: bool) -> list[Row]:
    if not across:
        return _beside(seal.structure, copy.structure)
    foreign = {*seal.members, *copy.members}
    return _beside(portable(seal.structure, foreign), portable(copy.structure, foreign))


def _sequences(sealed: Measure, copy: Measure) -> list[Row]:
    """Lay sequences side by side; one that began to run after the seal has nothing to stand to."""
    return [Row(name, value, copy.sequences.get(name)) for name, value in sealed.sequences.items()]


def _facts(sealed: Measure, copy: Measure) -> list[Comparison]:
    def of(measure: Measure, check: str) -> dict[str, Value]:
        return {fact.subject: fact.value for fact in measure.facts if fact.check == check}

    kinds = {fact.check for fact in [*sealed.facts, *copy.facts]}
    return [
        Comparison(question.name, _beside(of(sealed, question.name), of(copy, question.name)))
        for question in COUNTED
        if question.name in kinds
    ]
