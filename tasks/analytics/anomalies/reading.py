"""Read a series from a CSV file of `timestamp,value` or `date,value`."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from pathlib import Path

from tasks.control.errors import Refused


COLUMNS = "the columns timestamp (or date) and value"

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
        Refused: there is no such file, or a line of it cannot be used. The line is named by its
            number; what stands in it is not repeated.

    """
    series = Series([], {}, [])
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line, spelled, text in _lines(csv.reader(file, strict=True)):
                moment = _moment(spelled, line, series)
                series.moments.append(moment)
                series.spelled.setdefault(moment, spelled)
                series.values.append(_value(text, line))
    except OSError as error:
        raise Refused("cannot read the file", seen=error.strerror, do="name a CSV file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused(
            "the file is no CSV in UTF-8", seen=type(error).__name__, expected=COLUMNS
        ) from None
    if not series.moments:
        raise Refused("the file holds no observation", expected=f"lines below {COLUMNS}")
    return series


def _lines(rows: Iterator[list[str]]) -> Iterator[tuple[int, str, str]]:
    """Yield the number, timestamp and value of each line that is not blank."""
    header = [name.strip().lower() for name in next(rows, [])]
    if "value" not in header or not {"timestamp", "date"} & set(header):
        raise Refused(
            "line 1 does not name the columns", seen=f"{len(header)} columns", expected=COLUMNS
        )
    time = header.index("timestamp" if "timestamp" in header else "date")
    value = header.index("value")
    for number, row in enumerate(rows, start=2):
        if not row:
            continue
        if len(row) != len(header):
            raise Refused(
                f"line {number} is of another shape",
                seen=f"{len(row)} columns",
                expected=len(header),
            )
        yield number, row[time].strip(), row[value].strip()


def _moment(spelled: str, line: int, before: Series) -> datetime:
    try:
        moment = datetime.fromisoformat(spelled)
    except ValueError:
        raise Refused(
            f"line {line} has no timestamp that can be read", expected="YYYY-MM-DD HH:MM:SS"
        ) from None
    last = before.moments[-1] if before.moments else moment
    if (moment.tzinfo is None) != (last.tzinfo is None):
        raise Refused(
            f"line {line} differs in time zone", expected="all timestamps with an offset, or none"
        )
    if last - moment > STEP_BACK:
        raise Refused(
            f"line {line} lies before the line above",
            seen="a step back of more than an hour",
            expected="lines in the order of time",
            do="sort the file",
        )
    return moment


def _value(text: str, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise Refused(
            f"line {line} has no number as its value", expected="a finite number", do="drop it"
        )
    return value
