"""Counts of the clinical report, with the sums by which a reader could work out more."""

from typing import TYPE_CHECKING, Any

from tasks.analytics.clinical import figures
from tasks.analytics.clinical.reading import Clinical
from tasks.analytics.disclosure import Disclosure
from tasks.analytics.frames import records
from tasks.analytics.patients.disclosure import KNOWN
from tasks.analytics.suppression.cells import (
    Cell,
    Cells,
    change,
    crossed,
    named,
    overlap_within,
    subset,
)


if TYPE_CHECKING:
    import pandas as pd


def coded(kind: str, code: str, period: str = "ever") -> Cell:
    """Name the cell of the patients who have a code: `dx` or `rx`."""
    return named(kind=kind, code=code, period=period)


def of_codes(kind: str, listed: "pd.DataFrame", known: int) -> Cells:
    """Return the patients of each listed code, in all, in the window and before."""
    cells = Cells({KNOWN: known})
    for row in records(figures.common(listed, known)):
        ever, now, before = (coded(kind, row["key"], p) for p in ("ever", "now", "before"))
        cells += subset(ever, row["patients"], KNOWN, known)
        cells += subset(now, row["now"], ever, row["patients"])
        cells += subset(before, row["before"], ever, row["patients"])
        cells += change((now, row["now"]), (before, row["before"]))
    return cells


def pair(first: str, second: str) -> Cell:
    """Name the cell of the patients who have two diagnoses."""
    return named(kind="dx", first=first, second=second)


def of_pairs(read: Clinical, known: int) -> Cells:
    """Return the patients of each pair; who has one only, or none, can be worked out."""
    cells = Cells({})
    for row in records(figures.together(read)):
        one = coded("dx", row["first"]), int(row["both"] + row["only_first"])
        other = coded("dx", row["second"]), int(row["both"] + row["only_second"])
        both = pair(row["first"], row["second"])
        cells += overlap_within(both, int(row["both"]), one, other, (KNOWN, known))
    return cells


def listed_pairs(read: Clinical, shown: Disclosure) -> list[dict[str, Any]]:
    """Return the pairs that may be shown: a row without its count would tell by its place."""
    rows = records(figures.together(read))
    return [row for row in rows if shown.count(pair(row["first"], row["second"])) is not None]


def starters(medication: str, measured: str, unit: str) -> Cell:
    """Name the cell of the patients with a value before and after a medication's start."""
    return named(rx=medication, measured=measured, unit=unit)


def of_starters(read: Clinical, known: int) -> Cells:
    """Return the patients with values around a start; who has the medication and none, as well."""
    cells, keys = Cells({}), dict[str, list[str]]()
    for row in records(read.medications):
        keys.setdefault(row["code"], []).append(row["key"])
    ever = dict(zip(read.medications["key"], read.medications["patients"], strict=True))
    for row in records(read.around):
        cell = starters(row["medication"], row["measured"], row["unit"])
        of = keys[row["medication"]]
        whole = (coded("rx", of[0]), int(ever[of[0]])) if len(of) == 1 else (KNOWN, known)
        cells += subset(cell, int(row["patients"]), *whole)
    return cells


def listed_starters(read: Clinical, shown: Disclosure) -> list[dict[str, Any]]:
    """Return the values around a start that may be shown."""
    rows = zip(records(figures.around(read)), records(read.around), strict=True)
    return [
        row
        for row, each in rows
        if shown.count(starters(each["medication"], each["measured"], each["unit"])) is not None
    ]


def pending(code: str, age: str) -> Cell:
    """Name the cell of the results of a code that wait so long."""
    return named(results="pending", code=code, age=age)


def of_pending(read: Clinical) -> Cells:
    """Return the pending results by code and age, with totals."""
    counts: dict[tuple[str, ...], int] = {
        (row["key"], age): int(row[age])
        for row in records(read.pending)
        for age in ("day", "three_days", "older")
    }
    return crossed(counts, ("code", "age"), {"results": "pending"}) if counts else Cells({})
