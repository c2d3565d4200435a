"""Facts of a forecast: its days, and the backtest that it rests on."""

from dataclasses import dataclass
from datetime import date

from tasks.analytics.forecast.series import Frequency, Values


@dataclass(frozen=True, eq=False)
class Path:
    """What a method expects of each period ahead, and how far off it thinks it may be (1 sd)."""

    mean: Values
    sd: Values


@dataclass(frozen=True)
class Period:
    """One day or month ahead, with its 80 and 95 % intervals."""

    date: date
    mean: float
    lo80: float
    hi80: float
    lo95: float
    hi95: float


@dataclass(frozen=True)
class Backtest:
    """How the method did from earlier days of the same series, always without what came later.

    Attributes:
        mase: mean absolute error over that of the in-sample seasonal naive (Hyndman & Koehler
            2006); none where that is zero and this is not.
        wape: sum of absolute errors over the sum of absolute values; none likewise.
        coverage80: share of values in the 80 % interval, whose width came from the other folds.
        coverage95: the same of the 95 % interval.
        folds: origins that it was forecast from.
        as_of: the last date that any of it knows.
        naive_mase: `mase` of the seasonal naive on the same folds.

    """

    mase: float | None
    wape: float | None
    coverage80: float
    coverage95: float
    folds: int
    as_of: date
    naive_mase: float | None


@dataclass(frozen=True)
class Forecast:
    """Periods ahead, by which method and why, and its backtest.

    `history` counts the values that were used, `masked` the periods without one. `candidates`
    are the mean absolute errors of the backtest, in units of the series, by method.
    """

    history: int
    masked: int
    frequency: Frequency
    origin: date
    method: str
    reason: str
    asked: int
    forecast: tuple[Period, ...]
    backtest: Backtest
    candidates: dict[str, float]

    @property
    def horizon(self) -> int:
        """Periods ahead: no more than the backtest reached, so at times fewer than were asked."""
        return len(self.forecast)

    @property
    def is_fallback(self) -> bool:
        """Whether it is the seasonal naive."""
        return self.method == "seasonal naive"
