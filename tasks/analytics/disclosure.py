"""What may be shown of patients on one page: every count of it, suppressed as one system.

The counts of all tables go into one system with all sums between them, since a reader has the whole
page. Groups that a reader can work out and that stand nowhere, such as those with a diagnosis and
without another, are protected as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.analytics.clinical import figures as clinical_figures
from tasks.analytics.clinical.reading import Clinical
from tasks.analytics.frames import records
from tasks.analytics.patients import figures as patient_figures
from tasks.analytics.patients.reading import Patients
from tasks.analytics.suppression.cells import (
    Cell,
    Cells,
    Equation,
    change,
    crossed,
    named,
    overlap,
    subset,
)
from tasks.analytics.suppression.protection import protect


if TYPE_CHECKING:
    import pandas as pd

KNOWN = named()
ALIVE = named(life="alive")


@dataclass(frozen=True)
class Disclosure:
    """The counts of a page, and which of them are suppressed."""

    cells: Cells
    suppressed: frozenset[Cell]

    def count(self, cell: Cell) -> int | None:
        """Return a count as it may be shown; None is suppressed."""
        return None if cell in self.suppressed else self.cells.counts[cell]

    def column(self, cells: Sequence[Cell]) -> list[int | None]:
        """Return the counts of a column."""
        return [self.count(cell) for cell in cells]


def disclose(*tables: Cells) -> Disclosure:
    """Put tables on one page, and decide what has to be suppressed of them."""
    cells = Cells({})
    for table in tables:
        cells += table
    return Disclosure(cells, protect(cells))


def figure(name: str, period: str = "now") -> Cell:
    """Name the cell of a headline count of patients."""
    known = {("known", "now"): KNOWN, ("deceased", "now"): named(life="deceased")}
    return known.get((name, period), named(figure=name, period=period))


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
        if counts:
            cells += crossed(counts, ("patient_class",), {"visits": period})
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
    for row in records(listed):
        ever, now, before = (coded(kind, row["key"], p) for p in ("ever", "now", "before"))
        cells += subset(ever, row["patients"], KNOWN, known)
        cells += subset(now, row["now"], ever, row["patients"])
        cells += subset(before, row["before"], ever, row["patients"])
        cells += change((now, row["now"]), (before, row["before"]))
    return cells


def pair(first: str, second: str) -> Cell:
    """Name the cell of the patients who have two diagnoses."""
    return named(kind="dx", first=first, second=second)


def of_pairs(read: Clinical) -> Cells:
    """Return the patients of each pair that is listed; who has one only can be worked out."""
    cells = Cells({})
    for row in records(clinical_figures.together(read).head(clinical_figures.PAIRS)):
        one = coded("dx", row["first"]), int(row["both"] + row["only_first"])
        other = coded("dx", row["second"]), int(row["both"] + row["only_second"])
        cells += overlap(pair(row["first"], row["second"]), int(row["both"]), one, other)
    return cells


def pending(code: str, age: str) -> Cell:
    """Name the cell of the results of a code that wait so long."""
    return named(pending=code, age=age)


def of_pending(read: Clinical) -> Cells:
    """Return the pending results by code and age, with totals."""
    counts: dict[tuple[str, ...], int] = {
        (row["key"], age): int(row[age])
        for row in records(read.pending)
        for age in ("day", "three_days", "older")
    }
    return crossed(counts, ("pending", "age")) if counts else Cells({})
