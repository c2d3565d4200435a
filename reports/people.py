"""Patients on a page: tables in which every count is one that may be shown."""

from reports import plot
from reports.page import changed, page, percent, table
from tasks.analytics.disclosure import Disclosure
from tasks.analytics.frames import records
from tasks.analytics.patients import figures
from tasks.analytics.patients.disclosure import ALIVE, figure, visit
from tasks.analytics.patients.reading import Patients
from tasks.analytics.proportions import change, share
from tasks.analytics.suppression.cells import Cell, named
from tasks.analytics.suppression.tables import spelled


SAID = {
    "known": "known",
    "new": "new",
    "active": "active",
    "deceased": "deceased",
}

SUPPRESSION = (
    "A count of 1 to 10 is not shown, nor another by which it could be worked out; both read"
    " *suppressed* (CMS cell size suppression policy)."
)


def totals(shown: Disclosure) -> str:
    """Return the headline counts of patients, with those of the period before."""
    rows = [_row(shown, said, figure(name), figure(name, "before")) for name, said in SAID.items()]
    return table(("patients", "now", "period before", "change"), rows)


def _row(shown: Disclosure, said: str, now: Cell, before: Cell) -> tuple[str, str, str, str]:
    counts = shown.count(now), shown.count(before)
    return (said, spelled(counts[0]), spelled(counts[1]), grown(*counts))


def grown(now: int | None, before: int | None) -> str:
    """Spell a growth, of counts that are both shown."""
    return changed(None if now is None or before is None else change(now, before))


def ages(shown: Disclosure) -> str:
    """Return the living patients by age band and sex, drawn and as a table with totals."""
    cells = {
        band: [named(life="alive", age=band, sex=sex) for sex in figures.SEXES]
        for band in figures.BANDS
    }
    counts = {band: shown.column(row) for band, row in cells.items()}
    drawn = {
        sex: [counts[band][place] for band in figures.BANDS]
        for place, sex in enumerate(figures.SEXES)
    }
    rows = [
        (band, *map(spelled, counts[band]), spelled(shown.count(named(life="alive", age=band))))
        for band in figures.BANDS
    ]
    sexes = [named(life="alive", sex=sex) for sex in figures.SEXES]
    rows.append(("all", *map(spelled, shown.column(sexes)), spelled(shown.count(ALIVE))))
    chart = plot.bars(figures.BANDS, drawn, "Living patients by age and sex", "patients")
    return page(chart, table(("age", *figures.SEXES, "all"), rows)).rstrip()


def visits(read: Patients, shown: Disclosure) -> str:
    """Return visits by patient class, with those of the period before; by name, not by count."""
    names = sorted(row["patient_class"] for row in records(figures.by_class(read)))
    rows = [_visit(shown, name) for name in names]
    rows.append(_total(shown))
    header = ("visits", "began", "share", "period before", "change", "present now")
    return table(header, rows)


def _visit(shown: Disclosure, name: str) -> tuple[str, ...]:
    now, before = shown.count(visit(name)), shown.count(visit(name, "before"))
    every = shown.count(named(visits="now")) or 0
    part = None if now is None else share(now, every)
    present = spelled(shown.count(visit(name, "present")))
    return (name, spelled(now), percent(part), spelled(before), grown(now, before), present)


def _total(shown: Disclosure) -> tuple[str, ...]:
    now, before = (shown.count(named(visits=period)) for period in ("now", "before"))
    return ("all", spelled(now), "-", spelled(before), grown(now, before), "-")
