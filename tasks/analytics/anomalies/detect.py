"""Find the anomalies of a series, of message counts, of processing times and of error rates."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tasks.analytics.anomalies import method, rates
from tasks.analytics.anomalies.detector import Detector
from tasks.analytics.anomalies.episodes import merge
from tasks.analytics.anomalies.model import Episode, Judgement, Method, Rules
from tasks.analytics.window import HOUR


if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Anomalies:
    """What was found, in how many buckets, and by which rule."""

    points: int
    episodes: list[Episode]
    method: Method

    @property
    def expected_false_alarms(self) -> float:
        """How many episodes to expect where nothing is wrong."""
        return self.method.expected_false_alarms(self.points)


def of_series(buckets: Iterable[tuple[datetime, float]], rules: Rules | None = None) -> Anomalies:
    """Judge any series of (moment, value), in order; each bucket by those before it."""
    rules = rules or Rules()
    detector = Detector(rules)
    judged = [detector.judge(moment, value) for moment, value in buckets]
    return _found(judged, rules, method.of_series(rules))


def of_counts(frame: "pd.DataFrame", rules: Rules | None = None) -> Anomalies:
    """Judge messages an hour: columns `hour` and `n`; an hour without a row had none."""
    counts = {hour: n for hour, (n,) in _rows(frame, "n")}
    if not counts:
        return of_series([], rules)
    first, last = min(counts), max(counts)
    hours = [first + number * HOUR for number in range(round((last - first) / HOUR) + 1)]
    return of_series(((hour, counts.get(hour, 0.0)) for hour in hours), rules)


def of_times(frame: "pd.DataFrame", rules: Rules | None = None) -> Anomalies:
    """Judge processing time by the hour: columns `hour`, `n` and `seconds` (a median or p95).

    An hour of fewer than 30 messages says too little of a time, and is passed over.
    """
    rows = _rows(frame, "n", "seconds")
    return of_series(((hour, seconds) for hour, (n, seconds) in rows if n >= rates.LEAST), rules)


def of_errors(frame: "pd.DataFrame", rules: Rules | None = None) -> Anomalies:
    """Judge the share of errors by the hour: columns `hour`, `errors` and `n`."""
    rules = rules or Rules()
    watched = rates.Rates(rules)
    rows = _rows(frame, "errors", "n")
    judged = [watched.judge(hour, int(errors), int(n)) for hour, (errors, n) in rows]
    return _found(judged, rules, method.of_rates(rules, rates.LEAST))


def _rows(frame: "pd.DataFrame", *columns: str) -> list[tuple[datetime, list[float]]]:
    """Return hours, as plain moments and in order, with what stands in columns."""
    ordered = frame.sort_values("hour")
    moments = [each.to_pydatetime() for each in ordered["hour"]]
    values = [[float(each) for each in ordered[name]] for name in columns]
    return [(moment, list(row)) for moment, *row in zip(moments, *values, strict=True)]


def _found(judged: list[Judgement], rules: Rules, rule: Method) -> Anomalies:
    return Anomalies(len(judged), merge(judged, rules), rule)
