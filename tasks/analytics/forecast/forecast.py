"""Forecast a series: choose a method by a backtest, or fall back and say so."""

from collections.abc import Sequence
from datetime import date, datetime

import numpy as np
from threadpoolctl import threadpool_limits

from tasks.analytics.forecast.backtest import MARGIN, MINIMUM, Trial, cutoffs
from tasks.analytics.forecast.candidates import NAIVE, Paths, candidates
from tasks.analytics.forecast.intervals import widths
from tasks.analytics.forecast.model import Forecast, Period
from tasks.analytics.forecast.outages import without_outages
from tasks.analytics.forecast.series import Frequency, Series
from tasks.control.errors import Refused


HORIZON: dict[Frequency, int] = {"daily": 30, "monthly": 12}
"""Periods ahead where nobody asks for others."""


def forecast(
    series: Series, horizon: int | None = None, *, as_of: datetime | None = None
) -> Forecast:
    """Forecast the periods after the last one of a series.

    Args:
        series: the history, NaN where nothing is known.
        horizon: periods ahead; 30 days or 12 months by default. What cannot be backtested over
            that many is forecast over as many as can.
        as_of: the moment that the history was read; periods not ended by then are dropped.

    Raises:
        Refused: the history has no two seasons.

    """
    known = series.complete(as_of) if as_of else series
    paths = Paths(known, horizon or HORIZON[series.frequency])
    with threadpool_limits(1, user_api="blas"):
        return _forecast(paths, len(known.values))


def forecast_from(
    series: Series, origins: Sequence[date], horizon: int | None = None
) -> list[Forecast]:
    """Forecast from each of several last-known days, with nothing that came after it.

    Choice, widths, outages and parameters of each come from its own past alone.

    Raises:
        Refused: an origin lies outside the history, or has no two seasons before it.

    """
    paths = Paths(series, horizon or HORIZON[series.frequency])
    with threadpool_limits(1, user_api="blas"):
        return [_forecast(paths, series.until(origin)) for origin in origins]


def _forecast(paths: Paths, known: int) -> Forecast:
    past = paths.series.first(known)
    values = without_outages(past)
    there = int((~np.isnan(values)).sum())
    if there < 2 * past.season:
        raise Refused(
            "the history is too short",
            seen=f"{there} {past.unit} with a value",
            expected=f"at least {2 * past.season}",
            do="forecast when there is more, or from a later origin",
        )
    trial, models, reason = _trial(paths, known, there)
    errors = {method: trial.error(method) for method in (*models, NAIVE)}
    method = _chosen(errors, models)
    if models:
        reason = _because(method, errors)
    if trial.horizon < paths.horizon:
        reason += f"; the history lets {trial.horizon} {past.unit} be backtested, so no more"
    return Forecast(
        history=there,
        masked=known - there,
        frequency=past.frequency,
        origin=past.dates[-1],
        method=method,
        reason=reason,
        asked=paths.horizon,
        forecast=_periods(trial, method, past, is_count=bool(np.nanmin(values) >= 0)),
        backtest=trial.measured(method),
        candidates=errors,
    )


def _trial(paths: Paths, known: int, there: int) -> tuple[Trial, tuple[str, ...], str]:
    """Return the folds, the models that may take part in them, and why where there are none.

    A model needs its minimum of known values, and a fold beyond it. Else only the seasonal naive
    remains, which can be tried from one season on.
    """
    series, asked = paths.series, paths.horizon
    frequency = series.frequency
    values = without_outages(series.first(known))
    minimum = MINIMUM[frequency]
    span = f"{minimum // 7} weeks" if frequency == "daily" else f"{minimum} months"
    folds = cutoffs(known, asked, frequency, minimum)
    folds = _usable(series.first(known), folds, asked, minimum)
    if folds:
        return Trial(paths, known, asked, folds), candidates(frequency, values), ""
    horizon = min(asked, known - series.season)
    bare = cutoffs(known, horizon, frequency, series.season)
    bare = _usable(series.first(known), bare, horizon, 1)
    if not bare:
        raise Refused(
            "there is nothing to hold a forecast against",
            seen=f"{there} known values in {known} {series.unit}",
            expected="known values before and after some day of the history",
            do="fill the gaps, or begin later",
        )
    reason = (
        f"the history is under {span}"
        if there < minimum
        else f"the history has no {asked} {series.unit} after {span} to backtest a model in"
    )
    return Trial(paths, known, horizon, bare), (), reason


def _usable(past: Series, folds: Sequence[int], horizon: int, minimum: int) -> list[int]:
    """Return the folds that know enough, and after which something is known."""
    actual = ~np.isnan(without_outages(past))
    return [
        fold
        for fold in folds
        if actual[fold : fold + horizon].any()
        and (~np.isnan(without_outages(past.first(fold)))).sum() >= minimum
    ]


def _chosen(errors: dict[str, float], models: Sequence[str]) -> str:
    """Return the first candidate unless another errs much less; the naive unless it is beaten."""
    if not models:
        return NAIVE
    best = min(models, key=lambda method: errors[method])
    first = models[0]
    chosen = best if errors[best] < (1 - MARGIN) * errors[first] else first
    chosen = chosen if errors[chosen] < errors[NAIVE] else best
    return chosen if errors[chosen] < errors[NAIVE] else NAIVE


def _because(method: str, errors: dict[str, float]) -> str:
    if method == NAIVE:
        return "no model beats it in the backtest"
    share = errors[method] / errors[NAIVE]
    return f"in the backtest it errs by {share:.0%} of what the seasonal naive does"


def _periods(trial: Trial, method: str, past: Series, *, is_count: bool) -> tuple[Period, ...]:
    """Lay the intervals around the path; counts end at zero."""
    path = trial.paths.at(method, trial.known)
    factors = widths(trial.missed(method))
    floor = 0.0 if is_count else -np.inf
    return tuple(
        Period(
            day,
            float(mean),
            *(
                float(max(mean + side * factor * sd, floor))
                for factor in factors
                for side in (-1, 1)
            ),
        )
        for day, mean, sd in zip(past.ahead(trial.horizon), path.mean, path.sd, strict=False)
    )
