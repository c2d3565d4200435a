"""Forecasts of public series, held to bars; the whole of it is `benchmarks/forecasts.py`."""

import csv
import gzip
from datetime import date, timedelta

import numpy as np
import pytest

from benchmarks import forecasts, simulated
from tasks.analytics.forecast.naive import seasonal_naive


FIRST_STAGE = date(2017, 6, 30)
"""Last-known day of the first of 27 weekly folds of the study's first stage."""


def published(data, stage, region, method, metric):
    """Return the figures of the study, fold by fold, 28 days ahead."""
    asked = {"stage": stage, "series": region, "method": method, "metric": metric, "horizon": "28"}
    path = data / "timeseries" / "ambulance_published_fold_results.csv.gz"
    with gzip.open(path, "rt") as file:
        rows = [row for row in csv.DictReader(file) if asked.items() <= row.items()]
    return [float(row["value"]) for row in sorted(rows, key=lambda row: int(row["fold"]))]


@pytest.fixture(scope="module")
def regions(shared_data):
    """Return the days of each region."""
    return dict(forecasts.ambulance_series())


def test_folds_are_placed_as_in_the_study(shared_data, regions):
    """Its seasonal naive comes out again on each of its 27 first folds, to 9 digits."""
    trust = regions["Trust"]
    ours = []
    for fold in range(27):
        known = trust.until(FIRST_STAGE + timedelta(weeks=fold))
        errors = seasonal_naive(trust.values[:known], 7, 28).mean - trust.values[known : known + 28]
        ours.append(np.sqrt(np.mean(errors**2)))
    assert ours == pytest.approx(published(shared_data, "stage1", "Trust", "snaive", "rmse"))
    assert len(published(shared_data, "benchmark", "Devon", "ensemble", "mase")) == 41
    assert forecasts.ORIGINS[-1] + timedelta(days=84) == date(2019, 12, 30)


def test_ambulance_demand_is_forecast_as_well_as_published(regions):
    """Every eighth of the 41 folds, two regions; the bar of all is 0.70, slack 0.02."""
    scores = [
        forecasts.ambulance(regions[name], forecasts.ORIGINS[::8]) for name in ("Cornwall", "Trust")
    ]
    assert np.mean([score.mase for score in scores]) <= 0.72
    assert 0.75 <= np.mean([score.coverage80 for score in scores]) <= 0.90
    assert np.mean([score.coverage95 for score in scores]) >= 0.91


def test_hospital_months_are_forecast_as_well_as_published(shared_data):
    """Every twentieth of the 396 series; the bar of all is 0.77, slack 0.04."""
    found = [made for _, made in forecasts.hospital_series()][::20]
    scores = [forecasts.hospital(made) for made in found]
    assert np.mean([score.mase for score in scores]) <= 0.81
    assert np.mean([score.naive for score in scores]) > 0.85


@pytest.mark.parametrize("kind", simulated.KINDS)
@pytest.mark.parametrize("known", [40, 100])
def test_simulated_series_are_forecast_no_worse_than_by_the_naive(kind, known):
    """At most 5 % worse; the benchmark has more seeds and longer histories."""
    assert simulated.ratio(kind, known, seeds=3, origins=2) <= 1.05
