"""How wide intervals must be, by what the backtest missed."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from tasks.analytics.forecast.series import Values


LEVELS = (0.80, 0.95)

PRIOR_FOLDS = 8
"""The normal quantile counts as this many folds: few folds tell little of a tail."""


def widths(folds: Sequence[Values]) -> tuple[float, float]:
    """Return by how many deviations the 80 and 95 % intervals reach to either side.

    The empirical quantile of what was missed, in deviations of the method at that horizon, drawn
    towards the normal one where folds are few. (Split conformal prediction with a scaled score,
    Lei et al. 2018, over the pooled horizons of a rolling origin.)

    Args:
        folds: absolute errors over deviations, one array a fold, without NaN.

    """
    missed = np.concatenate(folds) if folds else np.empty(0)
    told = sum(fold.size > 0 for fold in folds)
    return _width(missed, told, LEVELS[0]), _width(missed, told, LEVELS[1])


def _width(missed: Values, told: int, level: float) -> float:
    normal = NormalDist().inv_cdf((1 + level) / 2)
    if not missed.size:
        return normal
    seen = float(np.quantile(missed, level))
    return (told * seen + PRIOR_FOLDS * normal) / (told + PRIOR_FOLDS)


def coverages(folds: Sequence[Values]) -> tuple[float, float]:
    """Return the shares that intervals cover, each fold held against the widths of the others."""
    covered = [
        (fold[:, None] <= np.array(widths([*folds[:number], *folds[number + 1 :]])))
        for number, fold in enumerate(folds)
    ]
    shares = np.concatenate(covered).mean(axis=0)
    return float(shares[0]), float(shares[1])
