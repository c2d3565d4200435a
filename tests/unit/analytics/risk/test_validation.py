"""What a score was worth: the area against all pairs, its interval, rates and warnings."""

from datetime import UTC, datetime
from random import Random

import pytest

from tasks.analytics.proportions import Z95
from tasks.analytics.risk.validation import (
    Discrimination,
    Tally,
    discrimination,
    is_monotone,
    observed,
    validate,
)


INDEX = datetime(2025, 11, 25, tzinfo=UTC)


def tallied(outcomes, others):
    """Tally two lists of scores, as the database does."""
    scores = sorted({*outcomes, *others})
    return [Tally(each, outcomes.count(each), others.count(each)) for each in scores]


@pytest.mark.parametrize("seed", range(20))
def test_the_area_is_the_share_of_pairs_in_order(seed):
    """Counted pair by pair, ties one half; the variance by DeLong's definition, one by one."""
    rng = Random(seed)
    outcomes = [rng.randint(0, 30) / 10 for _ in range(rng.randint(2, 40))]
    others = [rng.randint(0, 25) / 10 for _ in range(rng.randint(2, 60))]

    def beats(x, y):
        return (x > y) + (x == y) / 2

    m, n = len(outcomes), len(others)
    auc = sum(beats(x, y) for x in outcomes for y in others) / (m * n)
    v10 = [sum(beats(x, y) for y in others) / n for x in outcomes]
    v01 = [sum(beats(x, y) for x in outcomes) / m for y in others]
    s10 = sum((v - auc) ** 2 for v in v10) / (m - 1)
    s01 = sum((v - auc) ** 2 for v in v01) / (n - 1)
    half = Z95 * (s10 / m + s01 / n) ** 0.5
    found = discrimination(tallied(outcomes, others))
    assert found.auc == pytest.approx(auc, abs=1e-12)
    assert found.interval == pytest.approx((max(0, auc - half), min(1, auc + half)), abs=1e-12)


def test_an_interval_worked_by_hand():
    """Outcomes at 2 and 3, others at 1 and 2: 3.5 of 4 pairs; both variances are 1/32."""
    found = discrimination(tallied([3, 2], [1, 2]))
    assert found.auc == 0.875
    assert found.interval == pytest.approx((0.875 - Z95 * (1 / 32) ** 0.5, 1.0))


@pytest.mark.parametrize(
    ("outcomes", "others", "found"),
    [
        ([], [1, 2], None),
        ([1, 2], [], None),
        ([3, 4], [1, 2], Discrimination(1.0, None)),
        ([1, 1], [1, 1], Discrimination(0.5, None)),
        ([2], [1, 3], Discrimination(0.5, None)),
    ],
)
def test_an_interval_that_would_say_too_much_is_not_given(outcomes, others, found):
    """A complete separation of four people is no certainty."""
    assert discrimination(tallied(outcomes, others)) == found


def test_rates_of_bands_have_their_wilson_intervals():
    """10 of 100 is 0.0552 to 0.1744 by the published example."""
    low, medium, high = observed([Tally(10, 4, 46), Tally(29.9, 6, 44), Tally(60, 1, 1)])
    assert (low.patients, low.outcomes, low.rate) == (100, 10, 0.1)
    assert low.interval == pytest.approx((0.0552, 0.1744), abs=5e-5)
    assert (medium.patients, medium.rate, medium.interval) == (0, None, None)
    assert (high.patients, high.rate) == (2, 0.5)


def test_bands_that_are_not_monotone_are_warned_of():
    """The measured case: 10 % of the low, 21 % of the medium, 15 % of the high."""
    found = validate([Tally(10, 101, 899), Tally(40, 209, 791), Tally(70, 154, 846)], INDEX, 365)
    assert not found.is_monotone
    assert found.warnings == ("bands are not monotone: a higher band had a lower observed rate",)


def test_bands_that_rise_bring_no_warning():
    """The check can pass, too."""
    found = validate([Tally(10, 100, 900), Tally(40, 200, 800), Tally(70, 300, 700)], INDEX, 365)
    assert found.is_monotone
    assert found.warnings == ()
    assert (found.patients, found.outcomes, found.days) == (3000, 600, 365)


def test_an_empty_band_between_two_does_not_hide_a_fall():
    """Low is held against high then."""
    assert not is_monotone(observed([Tally(10, 5, 5), Tally(70, 1, 9)]))
    assert is_monotone(observed([Tally(10, 1, 9), Tally(70, 5, 5)]))


@pytest.mark.parametrize(
    ("tallies", "said"),
    [
        ([], "nobody was known at the index date"),
        ([Tally(10, 0, 50)], "all or none had the outcome"),
        ([Tally(10, 5, 50), Tally(70, 20, 30)], "fewer than 100 outcomes"),
        ([Tally(10, 500, 500), Tally(70, 500, 500)], "not shown to tell better than chance"),
        ([Tally(10, 100, 900), Tally(70, 300, 700)], "a band is empty"),
    ],
)
def test_what_stands_against_a_validation_is_said(tallies, said):
    """In words without a count, which may be small."""
    assert said in "; ".join(validate(tallies, INDEX, 365).warnings)
