"""LACE by hand, from the table of van Walraven et al."""

import pytest

from tasks.analytics.risk.lace import lace


@pytest.mark.parametrize(
    ("days", "points"),
    [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (6, 4), (7, 5), (13, 5), (14, 7), (90, 7)],
)
def test_a_longer_stay_has_more_points(days, points):
    """Six points are never given."""
    assert lace(days, 0, 0, is_acute=False).length == points


@pytest.mark.parametrize(
    ("charlson", "points"), [(0, 0), (1, 1), (2, 2), (3, 3), (4, 5), (5, 5), (29, 5)]
)
def test_comorbidity_of_four_counts_five(charlson, points):
    """Four points are never given."""
    assert lace(0, charlson, 0, is_acute=False).comorbidity == points


@pytest.mark.parametrize(("visits", "points"), [(0, 0), (1, 1), (3, 3), (4, 4), (9, 4)])
def test_emergency_visits_count_up_to_four(visits, points):
    """More tell no more."""
    assert lace(0, 0, visits, is_acute=False).emergency == points


@pytest.mark.parametrize(
    ("stay", "is_acute", "score", "is_high"),
    [
        ((0, 0, 0), False, 0, False),
        ((2, 1, 0), True, 6, False),
        ((5, 5, 2), True, 14, True),
        ((3, 3, 0), True, 9, False),
        ((4, 3, 0), True, 10, True),
        ((14, 4, 4), True, 19, True),
    ],
)
def test_the_index_is_the_sum_and_high_from_ten(stay, is_acute, score, is_high):
    """Nineteen is the most."""
    made = lace(*stay, is_acute=is_acute)
    assert (made.score, made.is_high) == (score, is_high)
