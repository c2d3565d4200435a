"""Methods to choose from, and what each says from any day of the history."""

from dataclasses import dataclass, field

import numpy as np

from tasks.analytics.forecast.model import Path
from tasks.analytics.forecast.naive import seasonal_median, seasonal_naive
from tasks.analytics.forecast.outages import without_outages
from tasks.analytics.forecast.series import Frequency, Series, Values
from tasks.analytics.forecast.smoothing import smoothing
from tasks.analytics.forecast.structural import structural


NAIVE = "seasonal naive"

CANDIDATES: dict[Frequency, tuple[str, ...]] = {
    "daily": ("structural", "smoothing", "structural and smoothing"),
    "monthly": ("smoothing",),
}
"""The first is taken unless another is better by more than chance; see `backtest.MARGIN`."""

RARE = 0.5
"""Share of zeros from which on events are rare, and the median takes part. Elsewhere it does not:
a walk that happens to come back would let it win a short backtest."""

IN_WORDS = {
    NAIVE: "the same weekday (month) of the last week (year) known",
    "structural": "a drifting level with weekdays, waves of the year, special days and AR errors",
    "smoothing": "mean of simple exponential smoothing, Holt-Winters and Theta",
    "median": "median of each weekday over the last eight weeks, which suits rare events",
    "structural and smoothing": "mean of the structural model and exponential smoothing",
}


def candidates(frequency: Frequency, values: Values) -> tuple[str, ...]:
    """Return the models to choose from, the first of which is taken unless another is better."""
    known = values[~np.isnan(values)]
    is_rare = frequency == "daily" and float(np.mean(known == 0)) >= RARE
    return (*CANDIDATES[frequency], *(("median",) if is_rare else ()))


@dataclass(frozen=True, eq=False)
class Paths:
    """What each method says from a day on, given what was known on it and nothing else.

    Outages, scales and parameters are found anew for each day from the days before; so what is
    kept here for one origin is right for every other one, and 41 weekly origins share it.
    """

    series: Series
    horizon: int
    kept: dict[tuple[str, int], Path] = field(default_factory=dict)

    def at(self, method: str, known: int) -> Path:
        """Return the path of a method after the first `known` periods."""
        if (method, known) not in self.kept:
            self.kept[method, known] = self._computed(method, known)
        return self.kept[method, known]

    def _computed(self, method: str, known: int) -> Path:
        if method == "structural and smoothing":
            first, second = self.at("structural", known), self.at("smoothing", known)
            return Path((first.mean + second.mean) / 2, (first.sd + second.sd) / 2)
        past = self.series.first(known)
        values = without_outages(past)
        if method == "structural":
            path = structural(past.dates, values, self.horizon)
        elif method == "smoothing":
            path = smoothing(values, past.season, self.horizon)
        elif method == "median":
            path = seasonal_median(values, past.season, self.horizon)
        else:
            path = seasonal_naive(values, past.season, self.horizon)
        is_count = bool(np.nanmin(values) >= 0)
        return Path(np.maximum(path.mean, 0), path.sd) if is_count else path
