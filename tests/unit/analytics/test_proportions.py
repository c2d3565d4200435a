"""Shares with their uncertainty."""

import pytest

from tasks.analytics.proportions import change, share, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),
    ],
)
def test_wilson_gives_the_published_intervals(successes, n, low, high):
    """The first four are table I of Newcombe, Statistics in Medicine 17 (1998), 857-872."""
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_of_nothing_the_share_can_be_anything():
    """No data is not zero."""
    assert wilson(0, 0) == (0.0, 1.0)
    assert share(0, 0) is None
    assert change(5, 0) is None


def test_a_change_is_a_share_of_what_was():
    """From 200 to 250 is a quarter more."""
    assert change(250, 200) == 0.25
    assert share(1, 4) == 0.25
