"""The counts of the section: they add up, and no small one can be worked out."""

from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest

from tasks.analytics.disclosure import disclose
from tasks.analytics.risk import disclosure
from tasks.analytics.risk.assessment import Saturated, Summary
from tasks.analytics.risk.validation import Tally, validate
from tasks.analytics.suppression.attack import Published, derivable
from tasks.analytics.suppression.cells import named
from tasks.control.errors import Refused


NOW = datetime(2026, 11, 25, tzinfo=UTC)

SUMMARY = Summary(
    NOW,
    bands={"low": 600, "medium": 300, "high": 100},
    reasons={"deceased": 44, "birth date unknown": 33, "merged into another record": 21},
    saturated=Saturated(20, 30, 40),
    unended=90,
    validation=validate([Tally(10, 50, 450), Tally(40, 50, 50), Tally(70, 20, 20)], NOW, 365),
)


def test_those_known_are_the_scored_and_those_with_a_reason():
    """1,000 scored, 44 deceased, 33 of unknown age; who was merged is nobody of his own."""
    counts = disclosure.cells(SUMMARY).counts
    assert counts[named()] == SUMMARY.known == 1077
    assert SUMMARY.records == 1098
    assert counts[named(life="deceased")] == 44
    assert counts[named(life="alive")] == 1033
    assert counts[disclosure.SCORED] == 1000


def test_counts_that_are_large_are_all_shown():
    """Suppression is no habit."""
    cells = disclosure.cells(SUMMARY)
    assert disclose(cells).suppressed & cells.shown == frozenset()


def test_a_small_band_takes_another_with_it():
    """Else it is the scored less the others."""
    small = replace(SUMMARY, bands={"low": 600, "medium": 300, "high": 4})
    shown = disclose(disclosure.cells(small))
    counts = [shown.count(disclosure.of_band(band)) for band in ("low", "medium", "high")]
    assert counts[2] is None
    assert counts[:2] != [600, 300] or shown.count(disclosure.SCORED) is None


def test_one_unknown_birth_date_cannot_be_worked_out():
    """Neither from the known, nor from the scored and the deceased."""
    few = replace(SUMMARY, reasons={"deceased": 44, "birth date unknown": 1})
    shown = disclose(disclosure.cells(few))
    assert shown.count(disclosure.of_reason("birth date unknown")) is None
    hidden = [shown.count(cell) for cell in (named(), disclosure.SCORED, named(life="deceased"))]
    assert None in hidden


@pytest.mark.parametrize("seed", range(12))
def test_an_attacker_learns_no_small_count(seed):
    """Whoever reads it can do all sums between all cells."""
    rng = Random(seed)

    def some(most):
        return rng.choice([0, rng.randint(1, 10), rng.randint(11, most)])

    low, medium, high = some(500), some(300), some(90)
    tallies = [Tally(score, some(60), some(400)) for score in (10, 40, 70)]
    summary = Summary(
        NOW,
        {"low": low, "medium": medium, "high": high},
        {
            "deceased": some(40),
            "birth date unknown": some(20),
            "birth date in the future": some(15),
        },
        Saturated(*(rng.randint(0, medium + high) for _ in range(3))),
        rng.randint(0, low + medium + high),
        validate(tallies, NOW, 365),
    )
    page = disclose(disclosure.cells(summary))
    cells, off = page.cells, page.suppressed & page.cells.shown
    read = {cell: cells.counts[cell] for cell in cells.shown - off}
    assert derivable(Published(read, cells.equations, suppressed=off)) == {}


def test_figures_of_another_moment_are_refused_beside_these():
    """One cell has one count on a page."""
    later = replace(SUMMARY, reasons=SUMMARY.reasons | {"deceased": 45})
    with pytest.raises(Refused, match="one cell has two counts"):
        disclose(disclosure.cells(SUMMARY), disclosure.cells(later))
