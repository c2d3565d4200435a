"""What is expected at an hour of a weekday, learnt bucket by bucket."""

from collections import defaultdict, deque
from collections.abc import Sequence
from datetime import date, datetime
from statistics import median

from sortedcontainers import SortedList


WEEKS = 3
"""As many of the same weekday are needed before weekdays are told apart."""

DAYS = 3
"""As many days are needed before hours are told apart."""

MEMORY_DAYS = 28
"""An hour of the day remembers so many days, so that a lasting change becomes the rule."""

MEMORY_WEEKS = 8
"""And an hour of a weekday so many weeks."""


def middle(ordered: Sequence[float]) -> float:
    """Return the upper median of numbers in order."""
    return ordered[len(ordered) // 2]


class Profile:
    """The median of an hour on its weekday; of the hour on any day; of everything before.

    All three are told where there is history enough. An hour of a day counts once, as the
    median of its buckets, so that buckets of minutes and of hours are treated alike.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._by_weekday: dict[tuple[int, int], deque[float]] = defaultdict(
            lambda: deque(maxlen=MEMORY_WEEKS)
        )
        self._by_hour: dict[int, deque[float]] = defaultdict(lambda: deque(maxlen=MEMORY_DAYS))
        self._all: SortedList[float] = SortedList()
        self._hour: tuple[date, int] | None = None
        self._values: list[float] = []
        self._usual: tuple[float | None, float | None] = (None, None)

    def at(self, moment: datetime) -> tuple[float | None, float | None, float | None]:
        """Return what is expected in the bucket that begins then, from the coarsest on.

        Of everything, of the hour, of the hour on its weekday; None where too little is known.
        """
        hour = (moment.date(), moment.hour)
        if hour != self._hour:
            self._close()
            self._hour = hour
            self._usual = self._of(moment)
        return middle(self._all) if self._all else None, *self._usual

    def learn(self, value: float) -> None:
        """Take in the bucket that was last asked for."""
        self._all.add(value)
        self._values.append(value)

    def _of(self, moment: datetime) -> tuple[float | None, float | None]:
        daily = self._by_hour.get(moment.hour, ())
        weekly = self._by_weekday.get((moment.weekday(), moment.hour), ())
        return (
            median(daily) if len(daily) >= DAYS else None,
            median(weekly) if len(weekly) >= WEEKS else None,
        )

    def _close(self) -> None:
        """Let the hour that is over count."""
        if self._hour is None or not self._values:
            return
        day, hour = self._hour
        value = median(self._values)
        self._by_hour[hour].append(value)
        self._by_weekday[day.weekday(), hour].append(value)
        self._values = []
