"""Observations from a CSV file: `date,value` or `timestamp,value`, one a line."""

import csv
import itertools
import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from tasks.control.errors import Refused


Kind = Literal["date", "timestamp"]

KINDS: tuple[Kind, ...] = ("date", "timestamp")


@dataclass(frozen=True)
class Observation:
    """A value at a time, and the line that it stands in; NaN: nothing is known."""

    line: int
    at: datetime
    value: float


@dataclass(frozen=True)
class Observations:
    """What a file holds, in the order of time, and whether its first column is days or instants."""

    kind: Kind
    found: tuple[Observation, ...]


def read(path: Path) -> Observations:
    """Read a file of two columns under a header; an empty value is a missing one.

    Times are ISO 8601. Those with an offset stay in the local time that is written, so that a day
    is the day of whoever wrote it. Lines may stand in any order.

    Raises:
        Refused: there is no such file, its columns are others, it is empty, or a line cannot be
            read; the line is named, but not what stands in it.

    """
    kind, lines = cells(path)
    found = [_observation(path, *line) for line in lines]
    found.sort(key=lambda each: (each.at, each.line))
    for before, after in itertools.pairwise(found):
        if before.at == after.at:
            raise Refused(
                f"{path.name} has two values for one {kind}",
                seen=f"lines {before.line} and {after.line}",
                expected=f"each {kind} once",
                do="add them up or remove one",
            )
    return Observations(kind, tuple(found))


def cells(path: Path) -> tuple[Kind, list[tuple[int, str, str]]]:
    """Return what the first column is, and the number, time and value of each line as text.

    Raises:
        Refused: there is no such file, its columns are others, or it is empty.

    """
    lines = _lines(path)
    kind = _kind(lines, path)
    found = [_two(path, number, row) for number, row in lines[1:] if row]
    if not found:
        raise Refused(
            f"{path.name} holds no observations",
            seen="a header and nothing below it",
            expected=f"lines of {kind},value",
            do="give a file with history",
        )
    return kind, found


def _two(path: Path, line: int, row: list[str]) -> tuple[int, str, str]:
    if len(row) != len(("at", "value")):
        raise unreadable(path, line, f"{len(row)} cells", "two cells")
    return line, row[0].strip(), row[1].strip()


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            return [(reader.line_num, cells) for cells in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        said = error.strerror if isinstance(error, OSError) else type(error).__name__
        raise Refused(
            f"{path.name} cannot be read",
            seen=said,
            expected="a CSV file in UTF-8",
            do="check the path and what wrote the file",
        ) from None


def _kind(lines: list[tuple[int, list[str]]], path: Path) -> Kind:
    """Return what the first column is; names of other columns are not repeated, only counted."""
    header = [cell.strip().lower() for cell in lines[0][1]] if lines else []
    for kind in KINDS:
        if header == [kind, "value"]:
            return kind
    lacking = "value" not in header or not set(KINDS) & set(header)
    count = f"{len(header)} column{'' if len(header) == 1 else 's'}"
    raise Refused(
        f"{path.name} has other columns",
        seen=f"{count}, date, timestamp or value missing" if lacking else count,
        expected="a header `date,value` or `timestamp,value`, and no further column",
        do="keep these two columns, one series a file",
    )


def _observation(path: Path, line: int, time: str, text: str) -> Observation:
    try:
        at = _time(time)
    except ValueError:
        raise unreadable(path, line, "no time", "a date such as 2026-11-24 (ISO 8601)") from None
    try:
        value = float(text) if text else math.nan
    except ValueError:
        raise unreadable(path, line, "no number", "a number, or nothing if unknown") from None
    if math.isinf(value):
        raise unreadable(path, line, "no finite number", "a number, or nothing if unknown")
    return Observation(line, at, value)


def _time(text: str) -> datetime:
    """Parse a time; a month such as 2026-11 stands for its first day."""
    is_month = len(text) == len("2026-11") and text[4] == "-"
    return datetime.fromisoformat(f"{text}-01" if is_month else text).replace(tzinfo=None)


def unreadable(path: Path, line: int, seen: str, expected: str) -> Refused:
    """Name a line that cannot be read, and not what stands in it."""
    return Refused(
        f"{path.name}, line {line} cannot be read",
        seen=seen,
        expected=expected,
        do="correct the line, or leave its value empty",
    )
