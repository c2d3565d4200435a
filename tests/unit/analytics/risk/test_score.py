"""The score by hand: formula, caps, bands and ages."""

from datetime import date

import pytest

from tasks.analytics.risk.score import LABEL, age_on, band, score


@pytest.mark.parametrize(
    ("counts", "parts", "total", "name"),
    [
        ((0, 0, 0), (0, 0, 0), 0, "low"),
        ((1, 0, 0), (0.3, 0, 0), 0.3, "low"),
        ((0, 1, 0), (0, 4, 0), 4, "low"),
        ((0, 0, 1), (0, 0, 2.4), 2.4, "low"),
        ((45, 2, 3), (13.5, 8, 7.2), 28.7, "low"),
        ((60, 3, 0), (18, 12, 0), 30, "medium"),
        ((59, 3, 0), (17.7, 12, 0), 29.7, "low"),
        ((71, 4, 3), (21.3, 16, 7.2), 44.5, "medium"),
        ((79, 9, 0), (23.7, 36, 0), 59.7, "medium"),
        ((80, 9, 0), (24, 36, 0), 60, "high"),
        ((80, 10, 0), (24, 40, 0), 64, "high"),
        ((80, 11, 0), (24, 40, 0), 64, "high"),
        ((40, 0, 12), (12, 0, 28.8), 40.8, "medium"),
        ((40, 0, 13), (12, 0, 30), 42, "medium"),
        ((40, 0, 40), (12, 0, 30), 42, "medium"),
        ((100, 0, 0), (30, 0, 0), 30, "medium"),
        ((106, 0, 0), (30, 0, 0), 30, "medium"),
        ((106, 10, 13), (30, 40, 30), 100, "high"),
        ((18, 0, 0), (5.4, 0, 0), 5.4, "low"),
        ((30, 1, 1), (9, 4, 2.4), 15.4, "low"),
        ((2, 6, 0), (0.6, 24, 0), 24.6, "low"),
        ((25, 0, 9), (7.5, 0, 21.6), 29.1, "low"),
        ((28, 0, 9), (8.4, 0, 21.6), 30, "medium"),
        ((50, 3, 2), (15, 12, 4.8), 31.8, "medium"),
        ((65, 5, 5), (19.5, 20, 12), 51.5, "medium"),
        ((90, 6, 3), (27, 24, 7.2), 58.2, "medium"),
        ((52, 6, 8), (15.6, 24, 19.2), 58.8, "medium"),
        ((56, 6, 8), (16.8, 24, 19.2), 60, "high"),
        ((90, 6, 4), (27, 24, 9.6), 60.6, "high"),
        ((66, 5, 9), (19.8, 20, 21.6), 61.4, "high"),
        ((101, 9, 13), (30, 36, 30), 96, "high"),
        ((99, 10, 12), (29.7, 40, 28.8), 98.5, "high"),
        ((100, 10, 12), (30, 40, 28.8), 98.8, "high"),
    ],
)
def test_a_score_is_the_sum_of_its_capped_parts(counts, parts, total, name):
    """Each worked by hand from the formula."""
    made = score(*counts)
    assert (made.age_points, made.condition_points, made.medication_points) == parts
    assert (made.score, made.band) == (total, name)


@pytest.mark.parametrize("counts", [(-1, 0, 0), (0, -1, 0), (0, 0, -1)])
def test_negative_counts_are_refused(counts):
    """They are a mistake of the caller, and no low risk."""
    with pytest.raises(ValueError, match="cannot be negative"):
        score(*counts)


def test_bands_begin_at_their_thresholds():
    """30 and 60 belong to the band above."""
    assert [band(points) for points in (0, 29.9, 30, 59.9, 60, 100)] == [
        *("low", "low"),
        *("medium", "medium"),
        *("high", "high"),
    ]


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2026, 11, 25), date(2026, 11, 25), 0),
        (date(1996, 11, 25), date(2026, 11, 25), 30),
        (date(1996, 11, 26), date(2026, 11, 25), 29),
        (date(2004, 2, 29), date(2025, 2, 28), 20),
        (date(2004, 2, 29), date(2025, 3, 1), 21),
        (date(2004, 2, 29), date(2024, 2, 29), 20),
        (date(1919, 12, 31), date(2026, 11, 25), 106),
    ],
)
def test_an_age_is_in_whole_years(born, day, age):
    """On the birthday it is one more; 29 February has its day on 1 March of common years."""
    assert age_on(born, day) == age


def test_the_label_says_what_a_score_is_not_for():
    """It goes with every score."""
    assert LABEL == "operational triage, not validated for clinical decisions"
