"""Forecasts of public series, beside the errors that others published on them."""

import csv
import gzip
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from benchmarks import simulated
from tasks.analytics.forecast.forecast import forecast_from
from tasks.analytics.forecast.model import Forecast
from tasks.analytics.forecast.naive import differences
from tasks.analytics.forecast.series import Series, series


DATA = Path(__file__).parents[2] / "shared" / "data" / "timeseries"

TRAINED_TO = date(2018, 12, 31)

ORIGINS = tuple(TRAINED_TO + timedelta(weeks=week) for week in range(41))
"""Monks et al. 2023: weekly, so that the last leaves their 84 days within 2019."""

AMBULANCE_DAYS = 28

HOSPITAL_MONTHS = 12

TABLE = (
    "| series | horizon | origins | MASE | naive | cov 80 | cov 95 | s a series |\n"
    + "|---" * 8
    + "|"
)


@dataclass(frozen=True)
class Score:
    """What forecasts of one or several series reached, in the terms of the published figures."""

    mase: float
    naive: float
    coverage80: float
    coverage95: float
    seconds: float
    forecasts: int


def main() -> None:
    """Print a table for each of the two data sets, and what was published."""
    print(TABLE)
    regions = {name: ambulance(made) for name, made in ambulance_series()}
    for name, score in regions.items():
        print(line(f"ambulance, {name}", AMBULANCE_DAYS, score))
    print(line("**ambulance, mean**", AMBULANCE_DAYS, mean(list(regions.values()))))
    print("| published: Prophet + ARIMA (7 regions) | 28 | 41 | 0.67 | | 0.849 | 0.965 | |")
    scores = [hospital(made) for _, made in hospital_series()]
    print(line(f"**hospital, mean of {len(scores)}**", HOSPITAL_MONTHS, mean(scores)))
    print("| published: AutoETS (767 series) | 12 | 1 | 0.770 | 0.921 | | | |")
    print("| published: Chronos-2 (767 series) | 12 | 1 | 0.740 | 0.921 | | | |")
    simulated.main()


def line(name: str, horizon: int, score: Score) -> str:
    """Return a row of the table."""
    return (
        f"| {name} | {horizon} | {score.forecasts} | {score.mase:.3f} | {score.naive:.3f}"
        f" | {score.coverage80:.3f} | {score.coverage95:.3f} | {score.seconds:.1f} |"
    )


def mean(scores: Sequence[Score]) -> Score:
    """Return the mean over series."""
    return Score(
        *(
            float(np.mean([getattr(score, name) for score in scores]))
            for name in ("mase", "naive", "coverage80", "coverage95", "seconds")
        ),
        forecasts=scores[0].forecasts,
    )


def ambulance_series() -> Iterator[tuple[str, Series]]:
    """Yield each region's days."""
    yield from _read("ambulance_daily_swast.csv.gz", "date", "value")


def hospital_series() -> Iterator[tuple[str, Series]]:
    """Yield each hospital series' months."""
    yield from _read("hospital_monthly_expsmooth.csv.gz", "month", "patients")


def ambulance(whole: Series, origins: Sequence[date] = ORIGINS) -> Score:
    """Forecast 28 days from each origin; the scale is what was known at the end of 2018."""
    return scored(whole, origins, AMBULANCE_DAYS, whole.until(TRAINED_TO))


def hospital(whole: Series) -> Score:
    """Forecast the last 12 months from the ones before."""
    known = len(whole.dates) - HOSPITAL_MONTHS
    return scored(whole, [whole.dates[known - 1]], HOSPITAL_MONTHS, known)


def scored(whole: Series, origins: Sequence[date], horizon: int, trained: int) -> Score:
    """Forecast from each origin, and hold it against what came."""
    began = time.perf_counter()
    made = forecast_from(whole, origins, horizon)
    seconds = time.perf_counter() - began
    scale = float(np.mean(np.abs(differences(whole.values[:trained], whole.season))))
    folds = [_fold(whole, each) for each in made]
    mase, naive, coverage80, coverage95 = np.nanmean(folds, axis=0)
    return Score(mase / scale, naive / scale, coverage80, coverage95, seconds, len(made))


def _fold(whole: Series, made: Forecast) -> tuple[float, ...]:
    """Return mean absolute error, that of the seasonal naive, and both coverages."""
    known = whole.until(made.origin)
    actual = whole.values[known : known + made.horizon]
    ahead = made.forecast[: len(actual)]
    errors = [abs(period.mean - seen) for period, seen in zip(ahead, actual, strict=True)]
    season = whole.values[known - whole.season : known]
    naive = np.abs(actual - np.resize(season, len(actual)))
    within80 = [p.lo80 <= seen <= p.hi80 for p, seen in zip(ahead, actual, strict=True)]
    within95 = [p.lo95 <= seen <= p.hi95 for p, seen in zip(ahead, actual, strict=True)]
    return (
        float(np.mean(errors)),
        float(np.mean(naive)),
        float(np.mean(within80)),
        float(np.mean(within95)),
    )


def _read(name: str, day: str, value: str) -> Iterator[tuple[str, Series]]:
    rows: dict[str, list[tuple[date, float]]] = defaultdict(list)
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows[row["series"]].append((date.fromisoformat(row[day]), float(row[value])))
    for key, found in sorted(rows.items()):
        dates, values = zip(*sorted(found), strict=True)
        yield key, series(dates, values)
