"""What the calendar says of a day: weekday, place in the year, whether it is special."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from tasks.analytics.forecast.series import Values


SPECIAL = ((1, 1), (12, 24), (12, 25), (12, 26), (12, 31))
"""Month and day of New Year's Day, Christmas Eve to Boxing Day, New Year's Eve."""

YEAR_DAYS = 365.25

HARMONICS = 3
"""Waves a year: with three the ambulance series reach the error of the published ensemble."""
YEARS_FOR_HARMONICS = 2
"""With less history a wave of the year cannot be told from a trend."""


def is_special(day: date) -> bool:
    """Tell whether a day is one of the special days."""
    return (day.month, day.day) in SPECIAL


def regressors(history: Sequence[date], known: Values, dates: Sequence[date]) -> Values:
    """Return one row a date: weekdays, waves of the year, special days.

    Weekdays are deviations that add up to zero; a weekday or a special day of which the history
    knows nothing has no column, so that its effect is zero and not infinite.

    Args:
        history: the dates of the history.
        known: its values, NaN where nothing is known.
        dates: the dates to describe.

    """
    seen = [day for day, value in zip(history, known, strict=True) if not np.isnan(value)]
    weekdays = sorted({day.weekday() for day in seen})
    columns = [
        [float(day.weekday() == one) - float(day.weekday() == weekdays[-1]) for day in dates]
        for one in weekdays[:-1]
    ]
    if (seen[-1] - seen[0]).days >= YEARS_FOR_HARMONICS * YEAR_DAYS:
        angle = 2 * np.pi * np.array([day.toordinal() for day in dates]) / YEAR_DAYS
        for wave in range(1, HARMONICS + 1):
            columns += [list(np.sin(wave * angle)), list(np.cos(wave * angle))]
    special = {(day.month, day.day) for day in seen if is_special(day)}
    columns += [[float((day.month, day.day) == one) for day in dates] for one in sorted(special)]
    return np.array(columns, dtype=float).reshape(len(columns), len(dates)).T
