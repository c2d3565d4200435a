"""A series from observations: days and months as they are, instants added up to days."""

import itertools
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from tasks.analytics.forecast.series import Series, series
from tasks.analytics.observations import Observation, Observations, read
from tasks.analytics.window import DAY


REGULAR_SHARE = 0.9
"""Instants are regular where so many of them follow the one before by the same step."""


def read_series(path: Path) -> Series:
    """Read a series from a file of `date,value` or `timestamp,value`.

    Raises:
        Refused: the file cannot be read, or its dates are neither daily nor monthly.

    """
    return series_of(read(path))


def series_of(observations: Observations) -> Series:
    """Return the series of observations.

    Instants are added up to days. Where they are regular, such as hourly, a day that lacks one of
    them is not known; the first and the last day among them, which are dropped. Where they are
    not, each counts as an event, and the last day is dropped, since nobody can say that it ended.
    """
    found = observations.found
    if observations.kind == "timestamp":
        return _added_up(found)
    return series([each.at.date() for each in found], [each.value for each in found])


def _added_up(found: Sequence[Observation]) -> Series:
    days: dict[date, list[float]] = {}
    for each in found:
        days.setdefault(each.at.date(), []).append(each.value)
    step = _step(found)
    if step is None or step >= DAY:
        sums = {day: sum(values) for day, values in days.items()}
        return _trimmed(sums, drop_last=step is None)
    whole = DAY // step
    sums = {day: sum(values) if len(values) >= whole else np.nan for day, values in days.items()}
    return _trimmed(sums, drop_last=False)


def _trimmed(sums: dict[date, float], *, drop_last: bool) -> Series:
    """Lay days on their grid, without unknown days at either end."""
    known = [day for day, value in sums.items() if not np.isnan(value)]
    known = known[:-1] if drop_last and len(known) > 1 else known
    kept = {day: value for day, value in sums.items() if known and known[0] <= day <= known[-1]}
    return series(list(kept), list(kept.values()))


def _step(found: Sequence[Observation]) -> timedelta | None:
    steps = Counter(b.at - a.at for a, b in itertools.pairwise(found))
    if not steps:
        return None
    step, times = steps.most_common(1)[0]
    return step if times >= REGULAR_SHARE * steps.total() else None
