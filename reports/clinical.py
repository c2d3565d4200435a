"""The clinical report: who is treated, for what and with what, as counts that show nobody."""

from typing import TYPE_CHECKING, Any

from reports import headlines, people, plot, risk
from reports.page import page, percent, table
from tasks.analytics.clinical import disclosure, figures
from tasks.analytics.clinical.disclosure import coded, pending
from tasks.analytics.clinical.reading import Clinical
from tasks.analytics.disclosure import Disclosure
from tasks.analytics.findings import Findings
from tasks.analytics.frames import records
from tasks.analytics.patients.disclosure import KNOWN, figure
from tasks.analytics.patients.reading import ACTIVE
from tasks.analytics.proportions import share
from tasks.analytics.suppression.cells import named
from tasks.analytics.suppression.tables import spelled


if TYPE_CHECKING:
    import pandas as pd


def report(found: Findings) -> str:
    """Return the page; the first line is the verdict, the second the three headlines."""
    read, patients, shown = found.clinical, found.patients, found.disclosure
    assert read is not None  # noqa: S101 - a clinical report has all four
    assert patients is not None  # noqa: S101
    assert shown is not None  # noqa: S101
    assert found.risk is not None  # noqa: S101
    known, new, active, visits = (
        spelled(shown.count(cell))
        for cell in (KNOWN, figure("new"), figure("active"), named(visits="now"))
    )
    return page(
        f"# {active} ACTIVE PATIENTS: clinical report of {found.origin.stanza}",
        f"**{known}** patients known · **{new}** new in 30 days · **{visits}** visits in 30 days",
        people.SUPPRESSION,
        "## Patients\n\n" + people.totals(shown),
        people.ages(shown),
        "## Visits\n\n" + people.visits(patients, shown),
        "## Diagnoses\n\n" + _codes("dx", read.diagnoses, shown, "Patients by diagnosis"),
        "### Together in one patient\n\n" + _together(read, shown),
        "## Medications\n\n" + _codes("rx", read.medications, shown, "Patients by medication"),
        "### Values before and after a start\n\n" + _around(read, shown),
        "## Results without a final value\n\n" + _pending(read, shown),
        "## Risk\n\n" + risk.section(found.risk, shown),
        headlines.definitions(_DEFINED),
        headlines.origin(
            found.origin,
            {"30 days": read.window},
            {"patients": shown.count(KNOWN)},
        ),
    )


def _codes(kind: str, listed: "pd.DataFrame", shown: Disclosure, title: str) -> str:
    known = shown.count(KNOWN) or 0
    common = records(figures.common(listed, known))
    if not common:
        return "None is recorded of eleven patients or more."
    rows, names, drawn = [], [], []
    for row in _unordered(common, kind, shown):
        ever, now, before = (
            shown.count(coded(kind, row["key"], p)) for p in ("ever", "now", "before")
        )
        code = figures.code(row["key"])
        names.append(f"{code} {row['description']}".strip()[:48])
        drawn.append(ever)
        part = percent(None if ever is None else share(ever, known))
        counts = spelled(ever), part, spelled(now), spelled(before), people.grown(now, before)
        rows.append((code, row["description"] or "-", *counts))
    header = ("code", "description", "patients", "share", "in 30 days", "30 days before", "change")
    chart = plot.bars(names, {"patients": drawn}, title, "distinct patients")
    return page(chart, table(header, rows)).rstrip()


def _unordered(rows: list[dict[str, Any]], kind: str, shown: Disclosure) -> list[dict[str, Any]]:
    """Put codes with a suppressed count at the end, by name: their place would tell about it."""

    def place(row: dict[str, Any]) -> tuple[bool, str]:
        is_hidden = shown.count(coded(kind, row["key"])) is None
        return is_hidden, row["key"] if is_hidden else ""

    return sorted(rows, key=place)


def _together(read: Clinical, shown: Disclosure) -> str:
    pairs = disclosure.listed_pairs(read, shown)
    if not pairs:
        return "No two of them can be shown together."
    is_lift_told = shown.count(KNOWN) is not None
    rows = [
        (
            figures.code(row["first"]),
            figures.code(row["second"]),
            spelled(row["both"]),
            f"{row['lift']:.1f} x" if is_lift_told else "-",
        )
        for row in pairs
    ]
    header = ("diagnosis", "and", "patients with both", "as often as by chance")
    return table(header, rows)


def _around(read: Clinical, shown: Disclosure) -> str:
    rows = [
        (
            row["medication"],
            f"{row['measured']} ({row['unit']})",
            spelled(row["patients"]),
            f"{row['before']:.1f}",
            f"{row['after']:.1f}",
            f"{row['difference']:+.2f}",
            f"{row['lo']:+.2f} to {row['hi']:+.2f}",
        )
        for row in disclosure.listed_starters(read, shown)
    ]
    if not rows:
        return "No values before and after a start can be shown."
    said = (
        "Descriptive: the last value of 180 days before, and the first from a day to 180 days after"
        " a start, of the same patients. Nothing follows about what a medication does."
    )
    header = ("medication", "value", "patients", "mean before", "mean after", "mean difference")
    return page(said, table((*header, "95 % interval"), rows)).rstrip()


def _pending(read: Clinical, shown: Disclosure) -> str:
    ages = {"day": "up to 1 day", "three_days": "1 to 3 days", "older": "more than 3 days"}
    if read.pending.empty:
        return "Every result of the last 90 days has its final value."
    rows = [
        (
            figures.code(row["key"]),
            *(spelled(shown.count(pending(row["key"], age))) for age in ages),
        )
        for row in sorted(records(read.pending), key=lambda row: str(row["key"]))
    ]
    return table(("analyte", *ages.values()), rows)


_DEFINED = {
    "known": "patients first heard of before the end of the window; who was found to be another"
    " is not counted.",
    "new": "first heard of in the window.",
    "active": ACTIVE,
    "deceased": "known to have died before the end of the window.",
    "age": "full years at the end of the window.",
    "diagnosis, medication": "distinct patients with the code, whenever it was recorded before the"
    " end of the window; in 30 days: recorded, or begun, in it.",
    "as often as by chance": "patients with both, by what it would be if the two were independent;"
    " a pattern in what is recorded, not a cause.",
    "result without a final value": "status I, P, R or S of HL7 table 0085, observed within 90"
    " days.",
}
