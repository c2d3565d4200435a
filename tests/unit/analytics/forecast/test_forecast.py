"""The choice of a method, and what a forecast may know."""

from datetime import UTC, date, datetime
from datetime import time as clock

import numpy as np
import pytest

from tasks.analytics.forecast.forecast import forecast, forecast_from
from tasks.analytics.forecast.series import Series, series
from tasks.control.errors import Refused
from tests.unit.analytics.forecast.test_methods import noisy
from tests.unit.analytics.forecast.test_series import days


@pytest.fixture(scope="module")
def year():
    """Return 400 days of weeks with noise, an outage and a gap among them."""
    values = noisy(400)
    values[200] = 0
    values[300:303] = np.nan
    return series(days(400), np.round(values))


@pytest.fixture(scope="module")
def made(year):
    """Return its forecast."""
    return forecast(year)


def test_a_model_that_beats_the_naive_is_taken_and_says_so(made):
    """With thirty days, intervals around each, and the backtest beside it."""
    assert made.method in ("structural", "smoothing", "structural and smoothing")
    assert "of what the seasonal naive does" in made.reason
    assert (made.horizon, made.history, made.masked) == (30, 396, 4)
    assert made.backtest.mase < 0.85 * made.backtest.naive_mase
    for period in made.forecast:
        assert period.lo95 < period.lo80 < period.mean < period.hi80 < period.hi95


def test_the_same_input_gives_the_same_output(year, made):
    """To the last bit."""
    assert forecast(year) == made


def test_nothing_after_an_origin_changes_its_forecast(year):
    """Neither values, nor outages, nor that the history goes on at all."""
    origin = year.dates[299]
    alone = forecast(year.first(300), 28)
    later = year.values.copy()
    later[300:] = np.random.default_rng(2).integers(0, 9_000, 100)
    later[310:330] = np.nan
    changed = Series(year.dates, later, year.frequency)
    for other in (year, changed):
        before, found = forecast_from(other, [year.dates[250], origin], 28)
        assert found == alone
        assert before.origin == year.dates[250]


def test_what_lies_before_an_origin_does_change_its_forecast(year):
    """The check above can fail."""
    earlier = year.values.copy()
    earlier[295:300] += 50
    changed = Series(year.dates, earlier, year.frequency)
    origin = [year.dates[299]]
    assert forecast_from(changed, origin, 28) != forecast_from(year, origin, 28)


def test_under_eight_weeks_it_falls_back_and_says_so():
    """To the seasonal naive."""
    found = forecast(series(days(55), noisy(55)), 14)
    assert found.is_fallback
    assert "under 8 weeks" in found.reason
    assert found.backtest.mase == found.backtest.naive_mase


def test_a_horizon_that_cannot_be_backtested_is_cut():
    """Thirty days of history show twenty-three ahead."""
    found = forecast(series(days(30), noisy(30)))
    assert (found.asked, found.horizon) == (30, 23)
    assert "23 days be backtested" in found.reason


def test_eight_weeks_without_room_for_a_backtest_fall_back():
    """A model that was not tried is not taken."""
    found = forecast(series(days(70), noisy(70)))
    assert found.is_fallback
    assert "no 30 days after 8 weeks" in found.reason


def test_under_two_seasons_it_is_refused():
    """With what was seen and what is expected."""
    with pytest.raises(Refused, match="13 days with a value; expected: at least 14"):
        forecast(series(days(13), noisy(13)))


def test_a_history_with_nothing_to_hold_a_forecast_against_is_refused():
    """Two weeks are known, but whatever came before them is not."""
    values = noisy(60)
    values[:46] = np.nan
    assert forecast(series(days(60), values), 3).is_fallback
    values[14:] = np.nan
    values[:14] = 1
    with pytest.raises(Refused, match="nothing to hold a forecast against"):
        forecast(series(days(60), values))


def test_gaps_anywhere_do_no_harm():
    """Nine days of ten are missing, at the beginning and the end as well."""
    values = noisy(400)
    values[np.arange(400) % 10 != 4] = np.nan
    found = forecast(series(days(400), values), 14)
    assert np.isfinite([vars(period)["hi95"] for period in found.forecast]).all()


def test_a_gap_of_ten_years_does_no_harm():
    """Nothing is known in the years that a model looks at but the last day."""
    values = noisy(3800)
    values[200:-1] = np.nan
    found = forecast(series(days(3800), values), 14)
    assert np.isfinite([vars(period)["hi95"] for period in found.forecast]).all()


def test_a_series_that_nothing_beats_falls_back():
    """Where every week is the same, the naive does not err."""
    found = forecast(series(days(120), np.resize(np.arange(7.0) + 40, 120)))
    assert found.is_fallback
    assert found.backtest.mase == 0
    assert [period.mean for period in found.forecast[:2]] == [41, 42]


def test_the_unfinished_day_is_dropped(year):
    """The forecast then begins with it."""
    found = forecast(year, 7, as_of=datetime.combine(year.dates[-1], clock(9, tzinfo=UTC)))
    assert found.forecast[0].date == year.dates[-1]


def test_counts_end_at_zero_and_other_values_do_not():
    """A temperature may be negative, a number of patients not."""
    chance = np.random.default_rng(5)
    low = forecast(series(days(120), chance.poisson(1, 120).astype(float)))
    assert min(period.lo95 for period in low.forecast) == 0
    either = forecast(series(days(120), chance.normal(0, 5, 120)))
    assert min(period.lo95 for period in either.forecast) < 0


def test_months_are_forecast_a_year_ahead():
    """From the first of one month to the first of another."""
    dates = [date(2020 + month // 12, month % 12 + 1, 1) for month in range(72)]
    chance = np.random.default_rng(6)
    values = 100 + 30 * np.sin(np.arange(72) * np.pi / 6) + chance.normal(0, 8, 72)
    found = forecast(series(dates, values))
    assert (found.frequency, found.horizon) == ("monthly", 12)
    assert (found.forecast[0].date, found.forecast[-1].date) == (
        date(2026, 1, 1),
        date(2026, 12, 1),
    )
    assert found.backtest.folds == 13
