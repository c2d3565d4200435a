"""Connections that fell silent: no message where some were certain to come."""

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp, log
from statistics import median
from typing import TYPE_CHECKING

from tasks.analytics.window import HOUR


if TYPE_CHECKING:
    import pandas as pd


IMPROBABLE = 1e-3
"""Silence is told where chance alone would bring it less often than this."""

QUIET_SHARE = 0.1
"""An hour that was silent more often than this is no evidence: the connection rests then."""

ALIKE = 3
"""So many earlier hours of the kind are needed before anything is expected of one."""

MEMORY = 20
"""As many are remembered: four weeks of workdays."""

LONGER = 2
"""A connection without busy hours is told after this many times its longest silence before."""

HISTORY = timedelta(days=14)
"""Of which so much must be known for that."""


@dataclass(frozen=True)
class Silence:
    """A silence that chance does not explain."""

    connection: str
    since: datetime
    """The first silent hour."""
    told: datetime
    """The hour at the end of which it could be told."""
    until: datetime
    """The last silent hour that is known."""
    expected: float
    """How many messages were due by then."""
    probability: float
    """Of no message where so many are due, by Poisson; 1 where its length is the reason."""
    reason: str


class Hours:
    """What a connection sent at hours of the kind: the same weekday, else workday or weekend."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._weekday: dict[tuple[int, int], deque[int]] = defaultdict(lambda: deque(maxlen=8))
        self._kind: dict[tuple[bool, int], deque[int]] = defaultdict(lambda: deque(maxlen=MEMORY))

    def due(self, hour: datetime) -> float:
        """Return how many messages are due; 0 where it often rests, or little is known."""
        known = self._weekday[hour.weekday(), hour.hour]
        if len(known) < ALIKE:
            known = self._kind[hour.weekday() >= 5, hour.hour]  # noqa: PLR2004 - Saturday
        if len(known) < ALIKE or known.count(0) > QUIET_SHARE * len(known):
            return 0.0
        return float(median(known))

    def learn(self, hour: datetime, n: int) -> None:
        """Take in an hour."""
        self._weekday[hour.weekday(), hour.hour].append(n)
        self._kind[hour.weekday() >= 5, hour.hour].append(n)  # noqa: PLR2004 - Saturday


class Watch:
    """Follows one connection hour by hour; each hour is judged by what came before it only.

    Two rules. So many messages were due in the silent hours that chance does not explain none of
    them (Poisson); hours in which the connection often rests are no evidence. Or, for one that
    rests often, the silence lasts twice as long as any before. What was told is not learnt, so
    that an outage does not become the rule.
    """

    def __init__(self, connection: str, first: datetime) -> None:
        """Begin with the first hour that is known."""
        self._connection, self._first = connection, first
        self._hours = Hours()
        self._longest = timedelta()
        self._since: datetime | None = None
        self._due = 0.0
        self.silence: Silence | None = None

    def hear(self, hour: datetime, n: int) -> Silence | None:
        """Take in the next hour; return the silence that stands at its end, if there is one."""
        if n:
            self._end(hour)
            self._hours.learn(hour, n)
            return None
        self._since = self._since or hour
        self._due += self._hours.due(hour)
        reason = self.silence.reason if self.silence else self._reason(hour)
        if not reason:
            return None
        told = self.silence.told if self.silence else hour
        self.silence = Silence(
            self._connection, self._since, told, hour, self._due, exp(-self._due), reason
        )
        return self.silence

    def _end(self, hour: datetime) -> None:
        """Learn the silence that ends, unless it was told."""
        if self._since is not None and self.silence is None:
            self._longest = max(self._longest, hour - self._since)
            for number in range(round((hour - self._since) / HOUR)):
                self._hours.learn(self._since + number * HOUR, 0)
        self._since, self._due, self.silence = None, 0.0, None

    def _reason(self, hour: datetime) -> str:
        """Say why the silence up to the end of an hour is told; nothing where it is not."""
        if self._since is None:
            return ""
        if self._due > -log(IMPROBABLE):
            return f"{self._due:.0f} messages were due; chance leaves none out of that many"
        lasts = hour + HOUR - self._since
        known = self._since - self._first
        if known >= HISTORY and lasts > LONGER * max(self._longest, HOUR):
            return f"its longest silence before took {self._longest / HOUR:.0f} hours"
        return ""


def silences(
    connection: str, counts: Mapping[datetime, int], until: datetime | None = None
) -> list[Silence]:
    """List the silences of one connection, from the first to the one that lasts.

    Args:
        connection: its name.
        counts: messages by the hour in which they came; a missing hour is one without.
        until: the last hour that is complete; the last of the counts by default.

    """
    if not counts:
        return []
    first, last = min(counts), until or max(counts)
    watch, found = Watch(connection, first), dict[datetime, Silence]()
    for number in range(round((last - first) / HOUR) + 1):
        hour = first + number * HOUR
        silence = watch.hear(hour, counts.get(hour, 0))
        if silence:
            found[silence.since] = silence
    return list(found.values())


def silent_connections(frame: "pd.DataFrame", now: datetime) -> list[Silence]:
    """List the connections that are silent now and should not be, the most certain first.

    Args:
        frame: `hour` (when it begins), `connection`, `n`; one row an hour and connection, rows
            without messages may be missing. Four weeks of it are enough.
        now: the hour that it lies in is not complete, and not judged.

    """
    last = now.replace(minute=0, second=0, microsecond=0) - HOUR
    found = []
    for connection, rows in frame.groupby("connection"):
        counts = {
            hour.to_pydatetime(): int(n) for hour, n in zip(rows["hour"], rows["n"], strict=True)
        }
        known = {hour: n for hour, n in counts.items() if hour <= last}
        found += [each for each in silences(str(connection), known, last) if each.until == last]
    return sorted(found, key=lambda each: -each.expected)
