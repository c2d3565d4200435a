"""Performance by the hour: how much, how fast, how often it failed, and how much more would go."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tasks.analytics.frames import records
from tasks.analytics.messages.reading import percentiles
from tasks.analytics.proportions import share, wilson
from tasks.analytics.rollups.tables import SCHEMA
from tasks.analytics.source import Session
from tasks.analytics.window import Window


if TYPE_CHECKING:
    import pandas as pd

PROVEN_OVER = timedelta(days=30)
"""The span in which the busiest hour that was fast enough is looked for."""

_VOLUME = f"""
select hour, sum(messages)::bigint as messages, sum(errors)::bigint as errors,
  sum(bytes)::bigint as bytes from {SCHEMA}.message_hours
where hour >= %(begin)s and hour < %(end)s group by 1 order by 1
"""  # noqa: S608 - names of our own


@dataclass(frozen=True)
class Trends:
    """What was read: volume and percentiles of each hour, of the window and of the month."""

    window: Window
    volume: "pd.DataFrame"
    times: "pd.DataFrame"


@dataclass(frozen=True)
class Capacity:
    """How much is proven to go: the busiest hour of the month in which p95 was within the limit.

    Headroom is the share of it that the busiest hour of the window left; None without data.
    """

    proven: int | None
    proven_at: datetime | None
    busiest: int
    headroom: float | None
    limit_ms: int


def read(session: Session, window: Window) -> Trends:
    """Read the hours of a month up to the window's end, of which the window is the last part.

    Raises:
        Transient: the source did not answer in time.

    """
    month = Window(window.end - PROVEN_OVER, window.end)
    asked = {"begin": month.begin, "end": month.end}
    return Trends(
        window,
        volume=session.frame("volume by hour", _VOLUME, asked),
        times=percentiles(session, month, "h.hour"),
    )


def hourly(read: Trends) -> "pd.DataFrame":
    """Return each hour of the window, also those in which nothing came.

    Returns:
        hour, messages, errors, error_rate, lo, hi (None without messages), p50, p95, p99
        (milliseconds), bytes.

    """
    import pandas as pd  # noqa: PLC0415 - half a second

    volume = {row["hour"]: row for row in records(read.volume)}
    times = {row["key"]: row for row in records(read.times)}
    rows = []
    for number in range(read.window.hours):
        hour = read.window.begin + timedelta(hours=number)
        found = volume.get(hour, {"messages": 0, "errors": 0, "bytes": 0})
        n, errors = int(found["messages"]), int(found["errors"])
        low, high = wilson(errors, n) if n else (None, None)
        timed = tuple(times.get(hour, {}).get(name) for name in ("p50", "p95", "p99"))
        rows.append((hour, n, errors, share(errors, n), low, high, *timed, int(found["bytes"])))
    columns = ["hour", "messages", "errors", "error_rate", "lo", "hi", "p50", "p95", "p99", "bytes"]
    return pd.DataFrame(rows, columns=columns)


def capacity(read: Trends, limit_ms: int) -> Capacity:
    """Return how much more would go, by what has gone: nothing is promised that was not seen.

    Args:
        read: what was read.
        limit_ms: p95 of the processing time that is still good.

    """
    times = {row["key"]: row["p95"] for row in records(read.times)}
    hours = {row["hour"]: int(row["messages"]) for row in records(read.volume)}
    good = {hour: n for hour, n in hours.items() if hour in times and times[hour] <= limit_ms}
    busiest = max((n for hour, n in hours.items() if hour >= read.window.begin), default=0)
    if not good:
        return Capacity(None, None, busiest, None, limit_ms)
    at = max(good, key=lambda hour: good[hour])
    return Capacity(good[at], at, busiest, 1 - busiest / good[at], limit_ms)
