"""Forecasts of simulated series that have little to forecast, beside the seasonal naive."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np

from tasks.analytics.forecast.forecast import forecast_from
from tasks.analytics.forecast.naive import seasonal_naive
from tasks.analytics.forecast.series import Values, series


HORIZON = 28

LENGTHS = (30, 60, 100, 200, 400)
"""Days known at the first origin."""

SEEDS = 6

LUMPS, MISSING = 0.1, 0.2
"""Shares of days with a lump, and of days that are missing."""

ORIGINS = 4
"""A week apart."""


def walk(chance: np.random.Generator, count: int) -> Values:
    """Return a random walk."""
    return np.asarray(1_000 + np.cumsum(chance.normal(0, 5, count)))


def constant(_: np.random.Generator, count: int) -> Values:
    """Return the same value each day."""
    return np.full(count, 42.0)


def intermittent(chance: np.random.Generator, count: int) -> Values:
    """Return some events on one day of seven."""
    return np.asarray((chance.random(count) < 1 / 7) * chance.poisson(3, count), dtype=float)


def lumpy(chance: np.random.Generator, count: int) -> Values:
    """Return rare events of very different sizes."""
    return np.asarray((chance.random(count) < LUMPS) * np.round(chance.lognormal(1, 1, count)))


def gaps(chance: np.random.Generator, count: int) -> Values:
    """Return weeks with a fifth of their days missing."""
    week = 100 + 20 * np.sin(2 * np.pi * np.arange(count) / 7)
    values = chance.poisson(week).astype(float)
    values[chance.random(count) < MISSING] = np.nan
    return values


def noise(chance: np.random.Generator, count: int) -> Values:
    """Return counts around one mean."""
    return chance.poisson(50, count).astype(float)


KINDS: dict[str, Callable[[np.random.Generator, int], Values]] = {
    "random walk": walk,
    "constant": constant,
    "intermittent": intermittent,
    "lumpy": lumpy,
    "gaps": gaps,
    "noise": noise,
}


def main() -> None:
    """Print our error over that of the seasonal naive, by kind and length; the bar is 1.05."""
    print(f"\n| simulated | {' | '.join(f'{known} days' for known in LENGTHS)} |")
    print("|---" * (len(LENGTHS) + 1) + "|")
    for kind in KINDS:
        found = [ratio(kind, known, seeds=SEEDS, origins=ORIGINS) for known in LENGTHS]
        print(f"| {kind} | {' | '.join(f'{each:.2f}' for each in found)} |")


def ratio(kind: str, known: int, *, seeds: int, origins: int) -> float:
    """Return our mean absolute error over that of the seasonal naive; 1 where both are zero."""
    ours = naive = 0.0
    for seed in range(seeds):
        count = known + HORIZON + 7 * (origins - 1)
        values = KINDS[kind](np.random.default_rng([seed, known]), count)
        dates = [date(2021, 3, 1) + timedelta(days=step) for step in range(count)]
        whole = series(dates, values)
        starts = [known + 7 * origin for origin in range(origins)]
        for made in forecast_from(whole, [dates[start - 1] for start in starts], HORIZON):
            start = whole.until(made.origin)
            actual = values[start : start + made.horizon]
            plain = seasonal_naive(values[:start], 7, made.horizon).mean
            mean = np.array([period.mean for period in made.forecast])
            ours += float(np.nansum(np.abs(mean - actual)))
            naive += float(np.nansum(np.abs(plain - actual)))
    return ours / naive if naive else 1.0 + ours
