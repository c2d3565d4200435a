"""What is said of a series: judgements of buckets, episodes, and the rule behind them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal


Severity = Literal["medium", "high"]

Look = Literal["level", "spread"]

MEDIUM = 2.0
"""An episode opens when |z| passes this; the operators' specification."""

HIGH = 3.0
"""From here on it is high; likewise specified."""


@dataclass(frozen=True)
class Rules:
    """The constants of the rule, counted in buckets unless said otherwise.

    They are defaults for every series. The benchmark chooses them anew on one half of the public
    NAB files and scores the other (`benchmarks/anomalies.py`); noise bounds them from below.
    """

    level: int = 3
    """The level is the mean residual of so many buckets; a shift of that length stands out."""

    spread: int = 24
    """The spread is the mean change from bucket to bucket over so many."""

    warm_up: int = 168
    """So many are only learnt from: a week of hours."""

    week: timedelta = timedelta(days=7)
    """And for as long the residuals from a finer expectation, before it takes over."""

    tail: float = 0.9973
    """Share of what was seen that stays below |z| = 2: what three sigma holds of a normal curve."""

    level_sigmas: float = 2.0
    """|z| = 1 is at least this many robust standard deviations of the level."""

    spread_sigmas: float = 1.5
    """Likewise of the spread."""

    level_floor: float = 0.015
    """Least scale of the level, as a share of the mean size of the values."""

    spread_floor: float = 0.2
    """Least scale of the spread, in natural logarithms."""

    clip: float = 3.0
    """An anomaly is remembered by the scale as if it had been no more than this |z|."""

    quiet: int = 12
    """An episode ends after so many buckets in which nothing stands out, and after `rest`."""

    rest: timedelta = timedelta(hours=6)
    """The least quiet time between two episodes."""


@dataclass(frozen=True)
class Judgement:
    """What is said of one bucket, by what came before it only."""

    moment: datetime
    observed: float
    expected: float
    z: float
    """Signed; 0 while the rule only learns."""
    look: Look = "level"
    """Which of the two looks is further out."""


@dataclass(frozen=True)
class Episode:
    """One alert: from the first bucket that stands out to the last, and the worst of them."""

    start: datetime
    end: datetime
    peak: datetime
    score: float
    """|z| at the peak."""
    severity: Severity
    observed: float
    """At the peak."""
    expected: float
    look: Look


@dataclass(frozen=True)
class Method:
    """The rule in words, so that a report can print what raised an alert and how often it errs."""

    formula: str
    baseline: str
    expected_false_alarms_per_1000: float
    """Measured on noise in which nothing is wrong."""

    def expected_false_alarms(self, buckets: int) -> float:
        """Return how many alerts so many buckets without an anomaly are expected to raise."""
        return self.expected_false_alarms_per_1000 * buckets / 1000


def severity_of(z: float) -> Severity | None:
    """Name the severity of a z; None where nothing stands out."""
    if abs(z) > HIGH:
        return "high"
    return "medium" if abs(z) > MEDIUM else None
