"""Counts of patients and visits on a page, with the sums by which a reader could work out more."""

from tasks.analytics.disclosure import Disclosure, is_broad
from tasks.analytics.frames import records
from tasks.analytics.patients import figures
from tasks.analytics.patients.reading import Patients
from tasks.analytics.suppression.cells import (
    Cell,
    Cells,
    Equation,
    change,
    crossed,
    named,
    subset,
)
from tasks.analytics.suppression.protection import protect


KNOWN = named()
ALIVE = named(life="alive")


def figure(name: str, period: str = "now") -> Cell:
    """Name the cell of a headline count of patients."""
    known = {("known", "now"): KNOWN, ("deceased", "now"): named(life="deceased")}
    return known.get((name, period), named(figure=name, period=period))


def visit(patient_class: str, period: str = "now") -> Cell:
    """Name the cell of the visits of a class in a period."""
    return named(visits=period, patient_class=patient_class)


HEADLINES = {
    "Visits, 30 days": (named(visits="now"), named(visits="before")),
    "New patients, 30 days": (figure("new"), figure("new", "before")),
}
"""The cells of headline figures that count people: now, and in the period before."""


def of_people(read: Patients) -> Disclosure:
    """Decide what may be shown of patients and visits on every page that tells of them.

    The two headline figures stand on pages that know no other count, so they are decided first.
    """
    cells = of_patients(read) + of_visits(read)
    heads = [cell for pair in HEADLINES.values() for cell in pair]
    broad = frozenset(cell for cell in heads if is_broad(cells.counts[cell]))
    return Disclosure(cells, protect(cells, shown=broad))


def of_patients(read: Patients) -> Cells:
    """Return the counts of the patients' tables, with the sums that hold between them."""
    totals = {row["figure"]: row for row in records(figures.totals(read))}
    now = {name: int(row["now"]) for name, row in totals.items()}
    before = {name: int(row["before"]) for name, row in totals.items()}
    table = figures.by_age_and_sex(read)
    living: dict[tuple[str, ...], int] = {
        (row["age_band"], sex): int(row[sex]) for row in records(table) for sex in figures.SEXES
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


def of_visits(read: Patients) -> Cells:
    """Return the counts of visits by class, in the window and in the one before it."""
    rows = records(figures.by_class(read))
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
