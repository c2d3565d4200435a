"""Which hours have to be counted again: a decision, without a look at any message."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.analytics.window import DAY, HOUR


SETTLING = timedelta(hours=24)
"""So long after it was received a message may still change without that being noticed otherwise.

An error that is mended and sent again, and a message whose id is smaller than one counted before,
are found within it; what was queued or unfinished is looked at again however old it is.
"""


UNCERTAIN = timedelta(days=61)
"""So long people may be found to be others, and visits be cancelled, without that being noticed
otherwise: over both windows of the headline figures."""


@dataclass(frozen=True)
class Chunk:
    """Hours of one day in UTC, that are counted in one transaction."""

    hours: list[datetime]

    @property
    def begin(self) -> datetime:
        """When the first hour begins."""
        return self.hours[0]

    @property
    def end(self) -> datetime:
        """When the last hour ends."""
        return self.hours[-1] + HOUR


def span(begin: datetime, end: datetime) -> list[datetime]:
    """List the full hours from `begin` to `end`, excluded."""
    return [begin + number * HOUR for number in range(max((end - begin) // HOUR, 0))]


def due(
    through: datetime,
    counted: datetime | None,
    touched: Iterable[datetime],
    settling: timedelta = SETTLING,
) -> list[datetime]:
    """List the hours to count: those not settled, and those that something touched.

    Args:
        through: until when hours are to be counted now.
        counted: until when they were counted before; None: never.
        touched: hours of new, queued and unfinished messages.
        settling: how far back what was counted may have changed.

    """
    unsettled = span(min(counted, through) - settling, through) if counted else []
    return sorted({hour for hour in touched if hour < through} | set(unsettled))


def chunks(hours: Iterable[datetime]) -> list[Chunk]:
    """Put the hours of each day together, the oldest day first."""
    days: dict[datetime, list[datetime]] = {}
    for hour in sorted(hours):
        days.setdefault(hour - (hour - hour.replace(hour=0)) % DAY, []).append(hour)
    return [Chunk(each) for each in days.values()]
