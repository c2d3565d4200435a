"""The rolling-origin backtest: forecasts from earlier days, held against what came."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.analytics.forecast.candidates import NAIVE, Paths
from tasks.analytics.forecast.intervals import coverages
from tasks.analytics.forecast.model import Backtest
from tasks.analytics.forecast.naive import differences
from tasks.analytics.forecast.outages import without_outages
from tasks.analytics.forecast.series import Frequency, Series, Values


FOLDS = 13
"""Every four weeks they make up a year, with its holidays."""

STEP: dict[Frequency, tuple[int, int]] = {"daily": (7, 28), "monthly": (1, 3)}
"""Least and most periods from fold to fold; whole weeks, so that weekly origins share folds."""

MINIMUM: dict[Frequency, int] = {"daily": 56, "monthly": 24}
"""Periods that a model learns from at least: 8 weeks, 2 years."""

MARGIN = 0.05
"""Another method than the first must err by this much less; below it the choice is chance."""


def cutoffs(known: int, horizon: int, frequency: Frequency, minimum: int) -> list[int]:
    """Return how many periods each fold knows, the newest first.

    Each has its whole horizon within the history, and at least half of the history before it.
    """
    last = known - horizon
    least = max(minimum, known // 2)
    least = least if least <= last else minimum
    if last < least:
        return []
    small, large = STEP[frequency]
    step = (last - least) // (FOLDS - 1) // small * small
    step = min(max(step, small), large)
    return [last - fold * step for fold in range(FOLDS) if last - fold * step >= least]


WORST = 10.0
"""Deviations that a miss counts at most, as where a method saw a flat history and had none."""


@dataclass(frozen=True, eq=False)
class Trial:
    """The folds of one origin: what came after each, and the errors that are measured in."""

    paths: Paths
    known: int
    horizon: int
    folds: Sequence[int]

    @property
    def actual(self) -> list[Values]:
        """What came after each fold, NaN for outages."""
        values = without_outages(self.paths.series.first(self.known))
        return [values[fold : fold + self.horizon] for fold in self.folds]

    def errors(self, method: str) -> list[Values]:
        """Return the absolute errors of each fold, NaN where nothing is known."""
        return [
            np.abs(self.paths.at(method, fold).mean[: self.horizon] - actual)
            for fold, actual in zip(self.folds, self.actual, strict=True)
        ]

    def error(self, method: str) -> float:
        """Return the mean absolute error over all folds; infinite where nothing is known."""
        found = np.concatenate(self.errors(method))
        return float(np.nanmean(found)) if not np.isnan(found).all() else float("inf")

    def missed(self, method: str) -> list[Values]:
        """Return each fold's absolute errors in deviations of the method, without NaN."""
        found = []
        for fold, errors in zip(self.folds, self.errors(method), strict=True):
            sd = self.paths.at(method, fold).sd[: self.horizon]
            scaled = np.where(np.isnan(errors), np.nan, WORST)
            np.divide(errors, sd, out=scaled, where=errors < WORST * sd)
            scaled[errors == 0] = 0.0
            found.append(scaled[~np.isnan(scaled)])
        return found

    def measured(self, method: str) -> Backtest:
        """Return what a method reached in it; the scale is of all that was known."""
        series: Series = self.paths.series
        changes = differences(without_outages(series.first(self.known)), series.season)
        scale = float(np.mean(np.abs(changes))) if changes.size else 0.0
        actual = np.abs(np.concatenate(self.actual))
        error = self.error(method)
        covered80, covered95 = coverages(self.missed(method))
        return Backtest(
            mase=_ratio(error, scale),
            wape=_ratio(error, float(np.nanmean(actual))),
            coverage80=covered80,
            coverage95=covered95,
            folds=len(self.folds),
            as_of=series.dates[self.known - 1],
            naive_mase=_ratio(self.error(NAIVE), scale),
        )


def _ratio(error: float, scale: float) -> float | None:
    if error == 0:
        return 0.0
    return error / scale if scale > 0 else None
