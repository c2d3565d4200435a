"""What may be shown of patients on one page: every count of it, suppressed as one system.

The counts of all tables go into one system with all sums between them, since a reader has the whole
page. Groups that a reader can work out and that stand nowhere, such as those with a diagnosis and
without another, are protected as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tasks.analytics.clinical import figures as clinical_figures
from tasks.analytics.clinical.reading import Clinical
from tasks.analytics.frames import records
from tasks.analytics.patients import figures as patient_figures
from tasks.analytics.patients.reading import Patients
from tasks.analytics.suppression.cells import (
    THRESHOLD,
    Cell,
    Cells,
    Equation,
    change,
    crossed,
    named,
    overlap_within,
    subset,
)
from tasks.analytics.suppression.protection import protect


if TYPE_CHECKING:
    import pandas as pd

KNOWN = named()
ALIVE = named(life="alive")

BROAD = 2 * THRESHOLD
"""In so large a total every part of 1 to 10 can still be one of eleven and more."""


@dataclass(frozen=True)
class Disclosure:
    """The counts of a page, and which of them are suppressed."""

    cells: Cells
    suppressed: frozenset[Cell]

    def count(self, cell: Cell) -> int | None:
        """Return a count as it may be shown; None is suppressed."""
        return None if cell in self.suppressed else self.cells.counts[cell]

    @property
    def told(self) -> frozenset[int]:
        """The counts that may be shown."""
        return frozenset(self.cells.counts[cell] for cell in self.cells.shown - self.suppressed)

    def column(self, cells: Sequence[Cell]) -> list[int | None]:
        """Return the counts of a column."""
        return [self.count(cell) for cell in cells]


NOTHING = Disclosure(Cells({}), frozenset())


def disclose(*tables: Cells, known: Disclosure = NOTHING) -> Disclosure:
    """Put tables on one page, and decide what has to be suppressed of them.

    Args:
        tables: the counts, with the sums between them.
        known: what other pages show as well; it stays as it is there.

    """
    cells = known.cells
    for table in tables:
        cells += table
    shown = known.cells.shown - known.suppressed
    return Disclosure(cells, protect(cells, shown, known.suppressed))


def of_people(read: Patients) -> Disclosure:
    """Decide what may be shown of patients and visits on every page that tells of them.

    The two headline figures stand on pages that know no other count, so they are decided first.
    """
    cells = of_patients(read) + of_visits(read)
    heads = [cell for pair in HEADLINES.values() for cell in pair]
    broad = frozenset(cell for cell in heads if is_broad(cells.counts[cell]))
    return Disclosure(cells, protect(cells, shown=broad))


def is_broad(count: float) -> bool:
    """Tell whether a total may be shown where nobody looks at its parts: none of them is told."""
    return count == 0 or count >= BROAD


def figure(name: str, period: str = "now") -> Cell:
    """Name the cell of a headline count of patients."""
    known = {("known", "now"): KNOWN, ("deceased", "now"): named(life="deceased")}
    return known.get((name, period), named(figure=name, period=period))


HEADLINES = {
    "Visits, 30 days": (named(visits="now"), named(visits="before")),
    "New patients, 30 days": (figure("new"), figure("new", "before")),
}
"""The cells of headline figures that count people: now, and in the period before."""


def of_patients(read: Patients) -> Cells:
    """Return the counts of the patients' tables, with the sums that hold between them."""
    totals = {row["figure"]: row for row in records(patient_figures.totals(read))}
    now = {name: int(row["now"]) for name, row in totals.items()}
    before = {name: int(row["before"]) for name, row in totals.items()}
    table = patient_figures.by_age_and_sex(read)
    living: dict[tuple[str, ...], int] = {
        (row["age_band"], sex): int(row[sex])
        for row in records(table)
        for sex in patient_figures.SEXES
    }
    alive = now["known"] - now["deceased"]
    cells = crossed(living, ("age", "sex"), {"life": "alive"})
    cells += subset(ALIVE, alive, KNOWN, now["known"])
    cells += Cells(
        {KNOWN: now["known"], ALIVE: alive, figure("deceased"): now["deceased"]},
        (Equation(KNOWN, (ALIVE, figure("deceased"))),),
    )
    inactive = named(figure="inactive")
    cells += Cells(
        {ALIVE: alive, figure("active"): now["active"], inactive: alive - now["active"]},
        (Equation(ALIVE, (figure("active"), inactive)),),
    )
    died = now["deceased"] - before["deceased"]
    return (
        cells
        + _grown("known", now, before, figure("new"), now["new"])
        + _grown("deceased", now, before, named(figure="died"), died)
        + change((figure("new"), now["new"]), (figure("new", "before"), before["new"]))
        + change((figure("active"), now["active"]), (figure("active", "before"), before["active"]))
    )


def _grown(name: str, now: dict[str, int], before: dict[str, int], more: Cell, count: int) -> Cells:
    """Return a count of two periods of which the difference is a group of its own."""
    cells = {figure(name): now[name], figure(name, "before"): before[name], more: count}
    return Cells(cells, (Equation(figure(name), (figure(name, "before"), more)),))


def visit(patient_class: str, period: str = "now") -> Cell:
    """Name the cell of the visits of a class in a period."""
    return named(visits=period, patient_class=patient_class)


def of_visits(read: Patients) -> Cells:
    """Return the counts of visits by class, in the window and in the one before it."""
    rows = records(patient_figures.by_class(read))
    cells = Cells({})
    for period, column in (("now", "admissions"), ("before", "before")):
        counts: dict[tuple[str, ...], int] = {
            (row["patient_class"],): int(row[column]) for row in rows
        }
        none = Cells({named(visits=period): 0})
        cells += crossed(counts, ("patient_class",), {"visits": period}) if counts else none
    for row in rows:
        name = row["patient_class"]
        cells += change((visit(name), row["admissions"]), (visit(name, "before"), row["before"]))
        cells += Cells({visit(name, "present"): int(row["present"])})
    return cells


def coded(kind: str, code: str, period: str = "ever") -> Cell:
    """Name the cell of the patients who have a code: `dx` or `rx`."""
    return named(kind=kind, code=code, period=period)


def of_codes(kind: str, listed: "pd.DataFrame", known: int) -> Cells:
    """Return the patients of each listed code, in all, in the window and before."""
    cells = Cells({KNOWN: known})
    for row in records(clinical_figures.common(listed, known)):
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
    for row in records(clinical_figures.together(read)):
        one = coded("dx", row["first"]), int(row["both"] + row["only_first"])
        other = coded("dx", row["second"]), int(row["both"] + row["only_second"])
        both = pair(row["first"], row["second"])
        cells += overlap_within(both, int(row["both"]), one, other, (KNOWN, known))
    return cells


def listed_pairs(read: Clinical, shown: Disclosure) -> list[dict[str, Any]]:
    """Return the pairs that may be shown: a row without its count would tell by its place."""
    rows = records(clinical_figures.together(read))
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
    rows = zip(records(clinical_figures.around(read)), records(read.around), strict=True)
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
