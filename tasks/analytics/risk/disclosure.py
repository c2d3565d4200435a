"""What the report counts of risk, and the sums by which a reader could work out more."""

from dataclasses import astuple

from tasks.analytics.risk.assessment import Summary
from tasks.analytics.risk.score import BANDS, NO_PATIENT, Band, Reason
from tasks.analytics.risk.validation import Validation
from tasks.analytics.suppression.cells import Cell, Cells, Equation, crossed, named, subset


SCORED = named(risk="scored")

UNENDED = named(risk="unended")

SATURATED = tuple(named(saturated=part) for part in ("age", "conditions", "medications"))
"""In the order of `Saturated`."""

NO_SCORE: tuple[Reason, ...] = ("deceased", "birth date unknown", "birth date in the future")
"""Reasons against a score of those who are known patients."""

FOLLOWED = named(followed="all")

_KNOWN, _ALIVE = named(), named(life="alive")
_UNKNOWN_AGE = named(life="alive", age="unknown")
_NOT_LOW = named(risk="scored", band="medium or high")


def of_band(band: Band) -> Cell:
    """Name the cell of the patients in a band."""
    return named(risk="scored", band=band)


def of_reason(reason: Reason) -> Cell:
    """Name the cell of those without a score; the deceased are the same on all pages."""
    return named(life="deceased") if reason == "deceased" else named(risk=reason)


def of_followed(band: Band) -> Cell:
    """Name the cell of the followed patients of a band."""
    return named(followed="all", band=band)


def of_outcome(band: Band, outcome: str = "yes") -> Cell:
    """Name the cell of the followed patients of a band who had the outcome, or had not: `no`."""
    return named(followed="all", band=band, outcome=outcome)


def of_outcomes(outcome: str = "yes") -> Cell:
    """Name the cell of all followed patients who had the outcome, or had not: `no`."""
    return named(followed="all", outcome=outcome)


def cells(summary: Summary) -> Cells:
    """Return the counts of the report's section, with the sums that hold between them.

    They go on one page with the counts of patients if both are as of the same moment: known,
    deceased, and the living of unknown age are the same cells there.
    """
    return _of_bands(summary) + _of_reasons(summary) + _of_followed(summary.validation)


def _of_bands(summary: Summary) -> Cells:
    """Return the bands, and who has a part at its cap: nobody of the low, as one cap lifts out."""
    bands = summary.bands
    not_low = bands["medium"] + bands["high"]
    made = crossed({(band,): bands[band] for band in BANDS}, ("band",), {"risk": "scored"})
    made += Cells(
        {**made.counts, _NOT_LOW: not_low},
        (
            Equation(_NOT_LOW, (of_band("medium"), of_band("high"))),
            Equation(SCORED, (of_band("low"), _NOT_LOW)),
        ),
        frozenset({_NOT_LOW}),
    )
    for cell, count in zip(SATURATED, astuple(summary.saturated), strict=True):
        part = subset(cell, count, _NOT_LOW, not_low)
        made += Cells(part.counts, part.equations, part.hidden | {_NOT_LOW})
    return made + subset(UNENDED, summary.unended, SCORED, summary.scored)


def _of_reasons(summary: Summary) -> Cells:
    """Return who has no score; records that are no patients stand for themselves."""
    dead, *unborn = (of_reason(each) for each in NO_SCORE)
    counts = {of_reason(each): summary.reasons.get(each, 0) for each in (*NO_SCORE, *NO_PATIENT)}
    ageless = sum(counts[cell] for cell in unborn)
    counts |= {SCORED: summary.scored, _KNOWN: summary.known}
    counts |= {_ALIVE: summary.scored + ageless, _UNKNOWN_AGE: ageless}
    return Cells(
        counts,
        (
            Equation(_KNOWN, (SCORED, dead, *unborn)),
            Equation(_KNOWN, (_ALIVE, dead)),
            Equation(_ALIVE, (SCORED, *unborn)),
            Equation(_UNKNOWN_AGE, tuple(unborn)),
            Equation(_ALIVE, (SCORED, _UNKNOWN_AGE)),
        ),
        frozenset({_ALIVE, _UNKNOWN_AGE}),
    )


def _of_followed(found: Validation) -> Cells:
    """Return the followed by band and outcome; who had none can be worked out."""
    counts: dict[tuple[str, ...], int] = {}
    for each in found.bands:
        counts[each.band, "yes"] = each.outcomes
        counts[each.band, "no"] = each.patients - each.outcomes
    made = crossed(counts, ("band", "outcome"), {"followed": "all"})
    others = {of_outcomes("no"), *(of_outcome(band, "no") for band in BANDS)}
    return Cells(made.counts, made.equations, frozenset(others))
