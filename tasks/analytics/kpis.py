"""The headline figures: one frame, from which every page takes them, so that they are the same."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from tasks.analytics.disclosure import Disclosure, is_broad
from tasks.analytics.messages.reading import percentiles
from tasks.analytics.patients.disclosure import HEADLINES
from tasks.analytics.proportions import change, share
from tasks.analytics.rollups.tables import DATED, SCHEMA
from tasks.analytics.source import Session
from tasks.analytics.window import DAY, MONTH, WEEK, Window, before
from tasks.repository.facts import CONTRACT


if TYPE_CHECKING:
    import pandas as pd

Status = Literal["met", "missed", "no data", "-"]

SUCCESS_TARGET = 0.99
"""Share of messages that are to succeed; a usual objective of integration teams, ours to choose."""

QUEUE_TARGET_S = 15 * 60
"""So long a message may wait in a queue; beyond it a receiver is taken to be away."""

_VOLUME = f"""
select sum(messages) filter (where hour >= %(begin)s)::bigint,
  sum(messages) filter (where hour < %(begin)s)::bigint,
  sum(sent + transformed + filtered) filter (where hour >= %(begin)s)::bigint,
  sum(sent + transformed + filtered) filter (where hour < %(begin)s)::bigint
from {SCHEMA}.message_hours where hour >= %(prior)s and hour < %(end)s
"""  # noqa: S608 - names of our own

_ACTIVITY = f"""
select coalesce(sum(patients) filter (where hour >= %(begin)s), 0)::bigint,
  coalesce(sum(patients) filter (where hour < %(begin)s), 0)::bigint,
  coalesce(sum(encounters) filter (where hour >= %(begin)s), 0)::bigint,
  coalesce(sum(encounters) filter (where hour < %(begin)s), 0)::bigint
from {SCHEMA}.activity_hours where hour >= %(prior)s and hour < %(end)s
"""  # noqa: S608

_OLDEST = f"""
select extract(epoch from %(end)s::timestamptz - min(received_at))::float8
from {CONTRACT}.messages where status = 'Q' and received_at < %(end)s
  and {DATED.format("received_at")}
"""  # noqa: S608


@dataclass(frozen=True)
class Kpi:
    """One headline: what it is, its value now and in the period before, and what is wanted."""

    name: str
    unit: Literal["count", "share", "ms", "s"]
    definition: str
    value: float | None
    before: float | None = None
    target: float | None = None
    is_floor: bool = False
    """Whether the target is the least that is wanted; otherwise it is the most."""
    suppressed: frozenset[str] = frozenset()
    """Which of `value` and `before` is a count of people that may not be shown; it is None."""

    @property
    def change(self) -> float | None:
        """By what share it grew; None where one of both is unknown or not shown."""
        if self.value is None or self.before is None:
            return None
        return change(self.value, self.before)

    @property
    def status(self) -> Status:
        """Whether the target is met."""
        if self.target is None:
            return "-"
        if self.value is None:
            return "no data"
        is_met = self.value >= self.target if self.is_floor else self.value <= self.target
        return "met" if is_met else "missed"


def read(session: Session, as_of: datetime, limit_ms: int) -> list[Kpi]:
    """Read the headline figures from the rollups, and the age of the queue from its index.

    Args:
        session: what is read.
        as_of: windows end with the last full hour before it.
        limit_ms: p95 of the processing time that is wanted at most.

    Raises:
        Transient: the source did not answer in time.

    """
    week, day = before(as_of, WEEK), before(as_of, DAY)
    n, n_before, good, good_before = _one(session, "volume", _VOLUME, week)
    activity = _one(session, "activity", _ACTIVITY, before(as_of, MONTH))
    patients, visits = activity[:2], activity[2:]
    (oldest,) = _one(session, "the queue", _OLDEST, week)
    success = None if n is None else share(good or 0, n)
    earlier = None if n_before is None else share(good_before or 0, n_before)
    p95, p95_before = (_p95(session, window) for window in (day, day.prior))
    return [
        Kpi("Messages, 7 days", "count", "received, each on its connection", n, n_before),
        Kpi(
            "Success, 7 days",
            "share",
            "sent, processed or filtered, of all messages on their connections",
            success,
            earlier,
            SUCCESS_TARGET,
            is_floor=True,
        ),
        Kpi(
            "Processing time p95, 24 h",
            "ms",
            "19 of 20 messages were processed within it",
            p95,
            p95_before,
            limit_ms,
        ),
        Kpi("Oldest in a queue", "s", "age of it now", oldest or 0.0, None, QUEUE_TARGET_S),
        _people(Kpi("Visits, 30 days", "count", "that began", None), *map(_broad, visits)),
        _people(
            Kpi("New patients, 30 days", "count", "first heard of", None), *map(_broad, patients)
        ),
    ]


def disclosed(kpis: Sequence[Kpi], shown: Disclosure) -> list[Kpi]:
    """Take the counts of people from what a page may show of them."""
    cells = HEADLINES
    return [
        _people(kpi, *map(shown.count, cells[kpi.name])) if kpi.name in cells else kpi
        for kpi in kpis
    ]


def _broad(count: float | None) -> float | None:
    """Withhold a count of people that is too small for a page that knows nothing else of them."""
    return count if count is not None and is_broad(count) else None


def _people(kpi: Kpi, now: float | None, before: float | None) -> Kpi:
    counts = {"value": now, "before": before}
    withheld = frozenset(name for name, count in counts.items() if count is None)
    return replace(kpi, value=now, before=before, suppressed=withheld)


def _one(session: Session, name: str, query: str, window: Window) -> tuple[float | None, ...]:
    asked = {"prior": window.prior.begin, "begin": window.begin, "end": window.end}
    ((*row,),) = session.rows(name, query, asked)
    return tuple(row)


def _p95(session: Session, window: Window) -> float | None:
    found = percentiles(session, window)
    return float(found["p95"].iloc[0]) if len(found) else None


def frame(kpis: Sequence[Kpi]) -> "pd.DataFrame":
    """Return the headline figures as a frame, a row a figure.

    Returns:
        name, unit, value, before, target, status; None where nothing is known.

    """
    import pandas as pd  # noqa: PLC0415 - half a second

    rows = [(k.name, k.unit, k.value, k.before, k.target, k.status) for k in kpis]
    return pd.DataFrame(rows, columns=["name", "unit", "value", "before", "target", "status"])
