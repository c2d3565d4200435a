"""What is not as expected on the platform: counts, times, errors, and connections in silence."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tasks.analytics.alerts import Alert
from tasks.analytics.anomalies import detect
from tasks.analytics.anomalies.detect import Anomalies
from tasks.analytics.anomalies.model import Episode
from tasks.analytics.anomalies.silence import Silence, silent_connections
from tasks.analytics.messages.reading import percentiles
from tasks.analytics.rollups.tables import SCHEMA
from tasks.analytics.source import Session
from tasks.analytics.window import HOUR, Window
from tasks.repository.facts import CONTRACT


if TYPE_CHECKING:
    import pandas as pd

HISTORY = timedelta(days=42)
"""The baseline needs a week, weekdays some weeks; six of them forget what no longer holds."""

RECENT = timedelta(hours=24)
"""Episodes that reach into it are told."""

_HOURS = f"""
select hour, sum(messages)::bigint as n, sum(errors)::bigint as errors
from {SCHEMA}.message_hours where hour >= %(begin)s and hour < %(end)s group by 1 order by 1
"""  # noqa: S608 - names of our own

_CONNECTIONS = f"""
select h.hour, c.name as connection, sum(h.messages)::bigint as n
from {SCHEMA}.message_hours h join {CONTRACT}.connections c using (connection_id)
where c.is_active and h.hour >= %(begin)s and h.hour < %(end)s group by 1, 2 order by 1, 2
"""  # noqa: S608


@dataclass(frozen=True)
class Watch:
    """What was found of each quantity, in hours of six weeks; `silent` lasts at its end."""

    window: Window
    hours: "pd.DataFrame"
    counts: Anomalies
    times: Anomalies
    errors: Anomalies
    silent: list[Silence]

    @property
    def kinds(self) -> dict[str, Anomalies]:
        """What is watched, by name."""
        return {
            "message count": self.counts,
            "processing time p95": self.times,
            "error rate": self.errors,
        }

    def recent(self) -> list[tuple[str, Episode]]:
        """Return the episodes that reach into the last day, the newest first."""
        since = self.window.end - RECENT
        found = [
            (kind, episode)
            for kind, anomalies in self.kinds.items()
            for episode in anomalies.episodes
            if episode.end >= since
        ]
        return sorted(found, key=lambda each: each[1].start, reverse=True)


def read(session: Session, as_of: datetime) -> Watch:
    """Read six weeks of hours, and judge each by those before it.

    Raises:
        Transient: the source did not answer in time.

    """
    window = Window(as_of - HISTORY, as_of)
    asked = {"begin": window.begin, "end": window.end}
    hours = session.frame("messages and errors by hour", _HOURS, asked)
    times = percentiles(session, window, "h.hour").rename(columns={"key": "hour", "measured": "n"})
    times["seconds"] = times["p95"].astype(float) / 1000
    connections = session.frame("messages by hour and connection", _CONNECTIONS, asked)
    return Watch(
        window,
        hours,
        counts=detect.of_counts(_until(hours, window)),
        times=detect.of_times(times),
        errors=detect.of_errors(hours),
        silent=silent_connections(connections, as_of),
    )


def _until(hours: "pd.DataFrame", window: Window) -> "pd.DataFrame":
    """Say that the last hours had no messages, where traffic stopped altogether."""
    import pandas as pd  # noqa: PLC0415 - half a second

    last = window.end - HOUR
    if hours.empty or hours["hour"].max() >= last:
        return hours
    return pd.concat([hours, pd.DataFrame({"hour": [last], "n": [0], "errors": [0]})])


def findings(watch: Watch) -> Iterator[Alert]:
    """Yield what people are to be told of."""
    for kind, episode in watch.recent():
        line = f"{kind} since {episode.start:%Y-%m-%d %H:%M} UTC, {episode.severity}"
        yield Alert("anomaly", kind, episode.start, f"{line}, |z| {episode.score:.1f} at its peak")
    for silence in watch.silent:
        line = f"{silence.connection} is silent since {silence.since:%Y-%m-%d %H:%M} UTC"
        yield Alert("silence", silence.connection, silence.since, f"{line}: {silence.reason}")
