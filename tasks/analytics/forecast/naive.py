"""Methods without a model: as a week (a year) ago, and the middle of the last weeks."""

import numpy as np

from tasks.analytics.forecast.model import Path
from tasks.analytics.forecast.series import Values


MEDIAN_SEASONS = 8
"""Seasons that the median looks back on: two months of weeks."""


def seasonal_naive(values: Values, season: int, horizon: int) -> Path:
    """Repeat the last known value of each place of the season.

    The deviation is that of seasonal differences, growing with the square root of the seasons
    ahead (Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., section 5.5).
    """
    size = len(values)
    middle = float(np.nanmedian(values))
    steps = np.arange(horizon)
    mean = np.empty(horizon)
    for place in range(min(season, horizon)):
        there = values[(size + place) % season :: season]
        known = there[~np.isnan(there)]
        mean[place::season] = known[-1] if known.size else middle
    changes = differences(values, season)
    spread = float(np.sqrt(np.mean(changes**2))) if changes.size else 0.0
    return Path(mean, spread * np.sqrt(steps // season + 1))


def seasonal_median(values: Values, season: int, horizon: int) -> Path:
    """Expect the median of the last values of each place of the season.

    Of all numbers the median errs least (by absolute error) where values are rare and uneven: a
    mean is then wrong on each day, the seasonal naive twice for each event.
    """
    recent = values[-MEDIAN_SEASONS * season :]
    middle = float(np.nanmedian(values))
    medians = np.full(season, middle)
    for place in range(season):
        there = recent[(len(recent) + place) % season :: season]
        known = there[~np.isnan(there)]
        medians[place] = np.median(known) if known.size else middle
    missed = recent - np.resize(np.roll(medians, len(recent) % season), len(recent))
    spread = float(np.sqrt(np.nanmean(missed**2))) if not np.isnan(missed).all() else 0.0
    return Path(np.resize(medians, horizon), np.full(horizon, spread))


def differences(values: Values, season: int) -> Values:
    """Return the differences to the season before, where both are known."""
    changes = values[season:] - values[:-season]
    return np.asarray(changes[~np.isnan(changes)])
