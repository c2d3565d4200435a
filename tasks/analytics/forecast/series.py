"""A series: one value a day or a month, with NaN where nothing is known."""

import calendar
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tasks.control.errors import Refused


Values = NDArray[np.float64]

Frequency = Literal["daily", "monthly"]

SEASON: dict[Frequency, int] = {"daily": 7, "monthly": 12}
"""After how many periods the pattern comes again: the week, the year."""

LONGEST = 36_525
"""Periods between the first and the last date: more is a mistyped year, not a history."""


@dataclass(frozen=True, eq=False)
class Series:
    """Values on a grid of dates without holes; what the input lacks is NaN, never zero."""

    dates: tuple[date, ...]
    values: Values
    frequency: Frequency

    @property
    def season(self) -> int:
        """Periods of one season."""
        return SEASON[self.frequency]

    @property
    def unit(self) -> str:
        """What one period is called."""
        return "days" if self.frequency == "daily" else "months"

    def first(self, known: int) -> "Series":
        """Return the first periods alone; nothing of what follows is left in it."""
        return Series(self.dates[:known], self.values[:known].copy(), self.frequency)

    def until(self, origin: date) -> int:
        """Count the periods up to and including the one that a date lies in.

        Raises:
            Refused: the history does not reach that date, or begins after it.

        """
        found = _number(origin, self.frequency) - _number(self.dates[0], self.frequency) + 1
        if not 1 <= found <= len(self.dates):
            raise Refused(
                f"there is no history at the origin {origin}",
                seen=f"history from {self.dates[0]} to {self.dates[-1]}",
                expected="a last-known day within it",
                do="give other --origins",
            )
        return found

    def complete(self, as_of: datetime) -> "Series":
        """Drop the periods that had not ended at a moment, as a day of which hours are missing."""
        now = _number(as_of.date(), self.frequency)
        known = now - _number(self.dates[0], self.frequency)
        return self.first(min(max(known, 0), len(self.dates)))

    def ahead(self, periods: int) -> tuple[date, ...]:
        """Return the dates that follow the last one."""
        return after(self.dates[-1], periods, self.frequency)


def after(last: date, periods: int, frequency: Frequency) -> tuple[date, ...]:
    """Return the dates after `last`; after the end of a month come the ends of months."""
    if frequency == "daily":
        return tuple(last + timedelta(days=step) for step in range(1, periods + 1))
    number = _number(last, frequency)
    return tuple(_month(number + step, at_end=last.day > 1) for step in range(1, periods + 1))


def series(dates: Sequence[date], values: Sequence[float]) -> Series:
    """Lay values on a grid; the frequency is inferred from the dates, which ascend.

    Dates that are all first days of months, or all last ones, are monthly. Else dates are daily
    if at least half of them follow the day before. A date that is missing is NaN: a query that
    means zero must say zero.

    Raises:
        Refused: the dates are neither daily nor monthly, or there are none.

    """
    frequency = _frequency(dates)
    first = _number(dates[0], frequency)
    length = _number(dates[-1], frequency) - first + 1
    if length > LONGEST:
        raise Refused(
            "the dates lie too far apart",
            seen=f"{dates[0]} to {dates[-1]}",
            expected=f"at most {LONGEST:,} periods",
            do="look for a mistyped year",
        )
    grid = np.full(length, np.nan)
    grid[[_number(day, frequency) - first for day in dates]] = values
    return Series((dates[0], *after(dates[0], length - 1, frequency)), grid, frequency)


def _frequency(dates: Sequence[date]) -> Frequency:
    months = [_number(day, "monthly") for day in dates]
    starts = all(day.day == 1 for day in dates)
    ends = all(
        day == _month(number, at_end=True) for day, number in zip(dates, months, strict=True)
    )
    if len(dates) > 1 and (starts or ends):
        return "monthly"
    steps = [(b - a).days for a, b in itertools.pairwise(dates)]
    if dates and steps.count(1) * 2 >= len(steps):
        return "daily"
    common = max(set(steps), key=steps.count) if steps else 0
    raise Refused(
        "the series is neither daily nor monthly",
        seen=f"{len(dates)} dates, most often {common} days apart",
        expected="a value each day, or one at the start or the end of each month",
        do="add it up to days or months",
    )


def _number(day: date, frequency: Frequency) -> int:
    return day.toordinal() if frequency == "daily" else day.year * 12 + day.month - 1


def _month(number: int, *, at_end: bool) -> date:
    year, month = divmod(number, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, last if at_end else 1)
