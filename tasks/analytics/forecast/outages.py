"""Outages: zeros that say that nothing was counted, not that nothing happened."""

import numpy as np

from tasks.analytics.forecast.calendar import is_special
from tasks.analytics.forecast.series import Series, Values


NEAR_ZERO = 10
"""A Poisson count of mean 10 is zero once in 22,000 days, so a zero beside such days is none."""

LOW_QUANTILE = 0.05
"""What a series hardly ever falls below, its zeros set aside."""

USUAL_SHARE = 0.2
"""Zeros on more than this share of a weekday (of a month of the year) are its way: closed."""


def without_outages(series: Series) -> Values:
    """Return the values with NaN for outages; a series that is ever near zero keeps its zeros.

    A zero is an outage where the other days hardly ever fall below `NEAR_ZERO`, zeros are no
    habit of that weekday, and it is no special day of the calendar, on which a place may close.
    """
    values = series.values.copy()
    known = values[~np.isnan(values)]
    others = known[known != 0]
    if others.size in (known.size, 0):
        return values
    if np.quantile(others, LOW_QUANTILE) < NEAR_ZERO:
        return values
    for position in range(series.season):
        there = values[position :: series.season]
        zeros = there == 0
        if zeros.sum() <= USUAL_SHARE * max((~np.isnan(there)).sum(), 1):
            there[zeros] = np.nan
    for index in np.flatnonzero(np.isnan(values) & (series.values == 0)):
        if series.frequency == "daily" and is_special(series.dates[index]):
            values[index] = 0.0
    return values


def filled(values: Values, season: int) -> Values:
    """Return the values with each gap filled from its weekday's (month's) neighbours in time.

    For methods that cannot go over a gap: the mean of the last known value before and the first
    after it at the same place of the season, or where there are none, the median of all.
    """
    result = values.copy()
    middle = np.nanmedian(values)
    for position in range(season):
        there = result[position::season]
        known = np.flatnonzero(~np.isnan(there))
        gaps = np.flatnonzero(np.isnan(there))
        if not known.size:
            there[gaps] = middle
            continue
        at = np.searchsorted(known, gaps)
        before = there[known[np.maximum(at - 1, 0)]]
        following = there[known[np.minimum(at, known.size - 1)]]
        there[gaps] = (before + following) / 2
    return result
