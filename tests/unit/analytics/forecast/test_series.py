"""Grids of days and months, and what lies on them."""

from datetime import date, datetime, timedelta

import numpy as np
import pytest

from tasks.analytics.forecast.outages import filled, without_outages
from tasks.analytics.forecast.reading import series_of
from tasks.analytics.forecast.series import series
from tasks.analytics.observations import Observation, Observations
from tasks.control.errors import Refused


MONDAY = date(2026, 3, 2)


def days(count, first=MONDAY):
    """Return days in a row."""
    return [first + timedelta(days=step) for step in range(count)]


def test_a_missing_date_is_unknown_and_not_zero():
    """An outage is not a quiet day."""
    made = series([*days(3), MONDAY + timedelta(days=4)], [1, 2, 3, 5])
    assert made.frequency == "daily"
    assert made.dates == tuple(days(5))
    np.testing.assert_array_equal(made.values, [1, 2, 3, np.nan, 5])


@pytest.mark.parametrize(
    ("dates", "following"),
    [
        ([date(2026, 11, 1), date(2026, 12, 1)], date(2027, 1, 1)),
        ([date(2025, 12, 31), date(2026, 1, 31)], date(2026, 2, 28)),
    ],
)
def test_first_and_last_days_of_months_are_monthly(dates, following):
    """What comes after them is one of the same kind."""
    made = series(dates, [1, 2])
    assert (made.frequency, made.season, made.ahead(1)) == ("monthly", 12, (following,))


@pytest.mark.parametrize("step", [2, 7])
def test_dates_that_are_neither_daily_nor_monthly_are_refused(step):
    """A week's season would be a year of weeks, which nothing here can test."""
    with pytest.raises(Refused, match=f"most often {step} days apart"):
        series(days(20 * step)[::step], range(20))


def test_a_mistyped_year_is_refused():
    """It would make a grid of half a million days."""
    with pytest.raises(Refused, match="too far apart"):
        series([*days(9), date(9026, 3, 20)], range(10))


def test_the_day_that_has_not_ended_is_dropped():
    """At 09:00 a third of it is known, at midnight all."""
    made = series(days(5), range(5))
    assert len(made.complete(datetime.fromisoformat("2026-03-06 09:00")).values) == 4
    assert len(made.complete(datetime.fromisoformat("2026-03-07")).values) == 5


def test_an_origin_outside_the_history_is_refused():
    """Nothing is known of the days between."""
    made = series(days(5), range(5))
    assert made.until(date(2026, 3, 4)) == 3
    with pytest.raises(Refused, match="no history at the origin 2026-03-07"):
        made.until(date(2026, 3, 7))


def hours(count, first="2026-03-02 00:00"):
    """Return an observation an hour."""
    return [
        Observation(n + 2, datetime.fromisoformat(first) + timedelta(hours=n), 1.0)
        for n in range(count)
    ]


def test_hours_add_up_to_days_and_the_unfinished_ones_are_dropped():
    """The first day began at 06:00, the last ends at 04:00."""
    found = hours(18 + 72 + 5, "2026-03-02 06:00")
    made = series_of(Observations("timestamp", tuple(found)))
    assert made.dates == tuple(days(3, date(2026, 3, 3)))
    np.testing.assert_array_equal(made.values, [24, 24, 24])


def test_a_day_that_lacks_an_hour_is_unknown():
    """A sum without it would be too small."""
    found = hours(96)
    del found[30]
    made = series_of(Observations("timestamp", tuple(found)))
    np.testing.assert_array_equal(made.values, [24, np.nan, 24, 24])


def test_events_are_counted_and_their_last_day_is_dropped():
    """Nobody can say that it had ended."""
    at = [
        datetime.fromisoformat("2026-03-02 05:00"),
        datetime.fromisoformat("2026-03-02 23:00"),
        datetime.fromisoformat("2026-03-03 04:00"),
    ]
    at += [datetime.fromisoformat("2026-03-04 01:00")]
    found = tuple(Observation(n, each, 1.0) for n, each in enumerate(at))
    np.testing.assert_array_equal(series_of(Observations("timestamp", found)).values, [2, 1])


def busy(count=140):
    """Return a busy series."""
    return np.random.default_rng(1).poisson(60, count).astype(float)


def test_a_zero_beside_busy_days_is_an_outage():
    """It is masked; the other days stay."""
    values = busy()
    values[50] = 0
    masked = without_outages(series(days(140), values))
    assert np.flatnonzero(np.isnan(masked)).tolist() == [50]


def test_zeros_of_a_rare_event_are_real():
    """A series that is often near zero keeps them."""
    values = np.random.default_rng(1).poisson(0.5, 140).astype(float)
    np.testing.assert_array_equal(without_outages(series(days(140), values)), values)


def test_zeros_of_closed_days_are_real():
    """Saturdays and Sundays, and Christmas."""
    dates = days(330)
    values = busy(330)
    values[[day.weekday() >= 5 or (day.month, day.day) == (12, 25) for day in dates]] = 0
    np.testing.assert_array_equal(without_outages(series(dates, values)), values)


def test_a_gap_is_filled_from_the_same_weekday():
    """For the methods that cannot go over one."""
    values = np.tile(np.arange(7.0), 3)
    holes = values.copy()
    holes[[0, 9, 20]] = np.nan
    np.testing.assert_array_equal(filled(holes, 7), values)
