"""The seasonal naive: as a week (a year) ago. Whatever is better has to show it."""

import numpy as np

from tasks.analytics.forecast.model import Path
from tasks.analytics.forecast.series import Values


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


def differences(values: Values, season: int) -> Values:
    """Return the differences to the season before, where both are known."""
    changes = values[season:] - values[:-season]
    return np.asarray(changes[~np.isnan(changes)])
