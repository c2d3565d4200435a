"""Read a series from a CSV file of `timestamp,value` or `date,value`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from pathlib import Path

from tasks.analytics.observations import cells, unreadable


STEP_BACK = timedelta(hours=1)
"""So far back a clock may step, which it does at the end of summer time."""


@dataclass(frozen=True)
class Series:
    """A series as a file has it: moments in the spelling of the file, and values."""

    moments: list[datetime]
    spelled: dict[datetime, str]
    values: list[float]


def read(path: Path) -> Series:
    """Read a file of buckets in the order of time.

    Equal timestamps, gaps, and the step back at the end of summer time are taken as they are.

    Raises:
        Refused: there is no such file, its columns are others, it is empty, or a line cannot be
            used; the line is named, but not what stands in it.

    """
    series = Series([], {}, [])
    for line, spelled, text in cells(path)[1]:
        moment = _moment(path, line, spelled, series)
        series.moments.append(moment)
        series.spelled.setdefault(moment, spelled)
        series.values.append(_value(path, line, text))
    return series


def _moment(path: Path, line: int, spelled: str, before: Series) -> datetime:
    try:
        moment = datetime.fromisoformat(spelled)
    except ValueError:
        raise unreadable(path, line, "no time", "a time such as 2026-11-24 06:00:00") from None
    last = before.moments[-1] if before.moments else moment
    if (moment.tzinfo is None) != (last.tzinfo is None):
        raise unreadable(path, line, "another kind of time", "an offset in all lines, or in none")
    if last - moment > STEP_BACK:
        raise unreadable(path, line, "a time before the line above", "lines in the order of time")
    return moment


def _value(path: Path, line: int, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise unreadable(path, line, "no finite number", "a number; a line without one is left out")
    return value
