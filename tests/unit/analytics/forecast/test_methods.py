"""What each method expects, on series whose future is known."""

from datetime import date, timedelta

import numpy as np
import pytest

from tasks.analytics.forecast.calendar import regressors
from tasks.analytics.forecast.candidates import candidates
from tasks.analytics.forecast.naive import seasonal_median, seasonal_naive
from tasks.analytics.forecast.smoothing import smoothing
from tasks.analytics.forecast.structural import structural


WEEK = np.array([100.0, 90, 80, 80, 90, 120, 130])

DAYS = [date(2024, 1, 1) + timedelta(days=step) for step in range(1096)]


def noisy(count, sd=3):
    """Return weeks with noise."""
    return np.resize(WEEK, count) + np.random.default_rng(3).normal(0, sd, count)


def test_the_naive_repeats_the_last_known_value_of_each_weekday():
    """Over a gap it looks a week further back; the deviation grows with the weeks."""
    values = np.arange(14.0)
    values[8] = np.nan
    path = seasonal_naive(values, 7, 9)
    assert path.mean.tolist() == [7, 1, 9, 10, 11, 12, 13, 7, 1]
    assert path.sd[7] == pytest.approx(path.sd[0] * np.sqrt(2))


def test_the_median_of_rare_events_is_zero():
    """Weekdays keep their place, wherever in the week the history ends."""
    path = seasonal_median(np.tile(np.arange(7.0), 10)[:67], 7, 9)
    assert path.mean.tolist() == [4, 5, 6, 0, 1, 2, 3, 4, 5]
    rare = np.zeros(70)
    rare[::10] = 5
    assert not seasonal_median(rare, 7, 30).mean.any()


@pytest.mark.parametrize("method", ["structural", "smoothing"])
def test_a_model_finds_the_week(method):
    """Within the error of its estimate."""
    values = noisy(210)
    path = (
        structural(DAYS[:210], values, 14) if method == "structural" else smoothing(values, 7, 14)
    )
    assert path.mean == pytest.approx(np.resize(WEEK, 14), abs=3)
    assert path.sd == pytest.approx(np.full(14, 3.0), rel=0.25)


def test_the_structural_model_goes_over_gaps_and_knows_special_days():
    """New Year's Day of 2027 is as the three before, however many days are missing."""
    values = noisy(1096)
    special = [(day.month, day.day) == (1, 1) for day in DAYS]
    values[special] += 60
    values[np.random.default_rng(4).random(1096) < 0.2] = np.nan
    values[:1] = 160
    path = structural(DAYS, values, 3)
    assert path.mean[0] - np.resize(WEEK, 1097)[1096] == pytest.approx(60, abs=12)
    assert path.mean[1] - np.resize(WEEK, 1098)[1097] == pytest.approx(0, abs=6)


@pytest.mark.parametrize("method", [structural, smoothing])
def test_a_constant_series_stays_constant(method):
    """No deviation is invented, and nothing is divided by zero."""
    first = DAYS[:70] if method is structural else None
    values = np.full(70, 42.0)
    path = structural(first, values, 5) if first else smoothing(values, 7, 5)
    assert path.mean == pytest.approx(np.full(5, 42.0))
    assert path.sd == pytest.approx(np.zeros(5))


def test_a_weekday_without_history_has_no_effect():
    """A clinic's file may hold no Sundays."""
    values = noisy(140)
    values[[day.weekday() == 6 for day in DAYS[:140]]] = np.nan
    assert regressors(DAYS[:140], values, DAYS[:140]).shape == (140, 6)
    assert structural(DAYS[:140], values, 7).sd.max() < 20


def test_the_median_takes_part_only_where_events_are_rare():
    """A walk that comes back would let it win by chance."""
    assert "median" in candidates("daily", np.array([0, 0, 0, 4, np.nan]))
    assert "median" not in candidates("daily", noisy(70))
