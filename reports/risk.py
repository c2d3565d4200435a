"""Risk on a page: how many are in each band, how that is counted, and what the bands came to."""

from reports import plot
from reports.page import page, percent, table
from tasks.analytics.disclosure import Disclosure
from tasks.analytics.proportions import share, wilson
from tasks.analytics.risk import chronic, disclosure
from tasks.analytics.risk.assessment import Summary
from tasks.analytics.risk.parameters import UNENDED_DAYS
from tasks.analytics.risk.score import (
    BANDS,
    CAP,
    FORMULA,
    LABEL,
    NO_PATIENT,
    RULE,
    THRESHOLDS,
    Band,
)
from tasks.analytics.risk.validation import Validation
from tasks.analytics.suppression.cells import Cell
from tasks.analytics.suppression.tables import spelled
from tasks.control.clock import readable


def section(summary: Summary, shown: Disclosure) -> str:
    """Return the part of a report on risk; every count in it is one that may be shown.

    Args:
        summary: the counts, with the validation.
        shown: what may be shown of the page, of which `risk.disclosure.cells` are a part.

    """
    counts = shown.column([disclosure.of_band(band) for band in BANDS])
    return page(
        f"**{LABEL[0].upper()}{LABEL[1:]}.** Score = `{FORMULA}`, as of {readable(summary.as_of)}.",
        plot.bars(BANDS, {"patients": counts}, "Patients by band of risk", "patients"),
        _bands(shown),
        _not_scored(shown),
        _uncertain(shown),
        f"Counted by the list {chronic.VERSION} of {len(chronic.GROUPS)} chronic conditions;"
        f" {RULE}.",
        "### What the bands came to\n\n" + _validation(summary.validation, shown),
    ).rstrip()


def _part(shown: Disclosure, cell: Cell, whole: Cell) -> str:
    """Spell a share, unless one of both counts is suppressed."""
    count, every = shown.count(cell), shown.count(whole)
    return percent(None if count is None or every is None else share(count, every))


def _bounds(band: Band) -> str:
    edges = (0, *THRESHOLDS, CAP)
    place = BANDS.index(band)
    return f"{edges[place]} to " + ("" if band == BANDS[-1] else "below ") + f"{edges[place + 1]}"


def _bands(shown: Disclosure) -> str:
    named = [(band, _bounds(band), disclosure.of_band(band)) for band in BANDS]
    rows = [
        (name, bounds, *_row(shown, cell, disclosure.SCORED))
        for name, bounds, cell in (*named, ("all scored", f"0 to {CAP}", disclosure.SCORED))
    ]
    return table(("risk", "score", "patients", "share of scored"), rows)


def _row(shown: Disclosure, cell: Cell, whole: Cell) -> tuple[str, str]:
    return spelled(shown.count(cell)), _part(shown, cell, whole)


def _not_scored(shown: Disclosure) -> str:
    rows = [
        (reason, spelled(shown.count(disclosure.of_reason(reason))))
        for reason in (*disclosure.NO_SCORE, *NO_PATIENT)
    ]
    return table(("no score, because", "patients or records"), rows)


def _uncertain(shown: Disclosure) -> str:
    """Return where the score tells no more apart, and where its counts may be too high."""
    said = (
        "age of 100 or more: its part is at its cap",
        "conditions at their cap",
        "medications at their cap",
        f"a medication without an end began over {UNENDED_DAYS} days ago, and may have ended",
    )
    rows = [
        (each, *_row(shown, cell, disclosure.SCORED))
        for each, cell in zip(said, (*disclosure.SATURATED, disclosure.UNENDED), strict=True)
    ]
    return table(("of those scored", "patients", "share"), rows)


def _validation(found: Validation, shown: Disclosure) -> str:
    said = (
        f"Scores of {readable(found.index)}, and what was recorded in the {found.days} days after:"
        " an emergency or inpatient encounter, or death. Everybody with a score then is followed;"
        " nothing tells who moved away."
    )
    warnings = "\n".join(f"- **Warning:** {each}." for each in found.warnings)
    header = ("risk", "followed", "with the outcome", "observed rate", "95 % interval")
    rows = [(band, *_observed(shown, band)) for band in BANDS]
    return page(
        said, _area(found, shown), warnings, table(header, rows), "Intervals are Wilson's (1927)."
    ).rstrip()


def _area(found: Validation, shown: Disclosure) -> str:
    """Say the area under the curve, unless it is of a few who are suppressed."""
    if found.discrimination is None:
        return "There is no area under the curve: it takes some with the outcome and some without."
    if None in (shown.count(disclosure.of_outcomes(each)) for each in ("yes", "no")):
        return "The area under the curve is *suppressed*: it would be of a few."
    interval = found.discrimination.interval
    between = f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else "none, of too few"
    return (
        f"Area under the curve: **{found.discrimination.auc:.3f}** (95 % interval: {between};"
        " DeLong 1988). 0.5 is chance. It is of this platform's own records, and of no others."
    )


def _observed(shown: Disclosure, band: Band) -> tuple[str, str, str, str]:
    """Return a band's followed, outcomes, rate and interval; none where one count is suppressed."""
    followed = shown.count(disclosure.of_followed(band))
    outcomes = shown.count(disclosure.of_outcome(band))
    if not followed or outcomes is None:
        return spelled(followed), spelled(outcomes), "-", "-"
    low, high = wilson(outcomes, followed)
    rate = percent(outcomes / followed)
    return spelled(followed), spelled(outcomes), rate, f"{percent(low)} to {percent(high)}"
