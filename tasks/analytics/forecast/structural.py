"""The structural model: a drifting level, weekdays, waves of the year, special days, AR errors."""

import warnings
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from tasks.analytics.forecast.calendar import regressors
from tasks.analytics.forecast.model import Path
from tasks.analytics.forecast.series import Values, after


LONGEST_DAYS = 2_922
"""Eight years: older days cost time and say nothing of the ones ahead."""

LEAST_KNOWN = 14
"""With fewer values in those years, as after a gap of as long, all of the history is taken."""

ITERATIONS = 100
"""Of the optimiser; it needs about 25."""


def structural(dates: Sequence[date], values: Values, horizon: int) -> Path:
    """Forecast days by an unobserved-components model (Harvey 1989; Durbin & Koopman 2012).

    The variances and the AR coefficient are estimated by maximum likelihood on what a regression
    leaves over, a model of two states; then the whole model is filtered once with them, in which
    the regression's coefficients are states with a diffuse start. That is faster
    than estimating all at once: 0.2 s against 0.9 s on five years of ambulance demand.

    Args:
        dates: days without holes.
        values: one a day, NaN where nothing is known; the filter goes over gaps.
        horizon: days ahead.

    """
    if (~np.isnan(values[-LONGEST_DAYS:])).sum() >= LEAST_KNOWN:
        dates, values = dates[-LONGEST_DAYS:], values[-LONGEST_DAYS:]
    exog = regressors(dates, values, dates)
    ahead = regressors(dates, values, after(dates[-1], horizon, "daily"))
    design = np.column_stack([np.ones(len(values)), exog])
    known = ~np.isnan(values)
    coefficients, *_ = np.linalg.lstsq(design[known], values[known], rcond=None)
    rest = values - design @ coefficients
    spread = float(np.nanstd(rest))
    if spread <= np.finfo(float).eps * max(float(np.nanmax(np.abs(values))), 1.0) * len(values):
        fitted = np.column_stack([np.ones(horizon), ahead]) @ coefficients
        return Path(fitted, np.zeros(horizon))
    with warnings.catch_warnings():
        _quieten()
        parameters = _model(rest / spread).fit(disp=False, maxiter=ITERATIONS).params
        whole = _model(values / spread, exog=exog, mle_regression=False)
        found = whole.filter(parameters).get_forecast(horizon, exog=ahead)
        return Path(found.predicted_mean * spread, found.se_mean * spread)


def _model(values: Values, **more: Any) -> Any:  # noqa: ANN401 - statsmodels is untyped
    from statsmodels.tsa.statespace.structural import (  # noqa: PLC0415 - takes a second
        UnobservedComponents,
    )

    return UnobservedComponents(values, "local level", autoregressive=1, **more)


def _quieten() -> None:
    """Let an optimiser that stops early be: the backtest judges what it found."""
    from statsmodels.tools.sm_exceptions import ConvergenceWarning  # noqa: PLC0415 - see above

    warnings.simplefilter("ignore", ConvergenceWarning)
    warnings.simplefilter("ignore", RuntimeWarning)
