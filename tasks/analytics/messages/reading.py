"""What is read of messages: counts from the rollups, and what waits from the contract's view."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.analytics.rollups.tables import COUNTS, DATED, NOBODY, SCHEMA
from tasks.analytics.source import Session
from tasks.analytics.window import Window
from tasks.repository.facts import CONTRACT


if TYPE_CHECKING:
    import pandas as pd

_SUMS = ", ".join(f"sum({name})::bigint as {name}" for name in COUNTS)

_HOURS = f"""
select hour, connection_id, {_SUMS} from {SCHEMA}.message_hours
where hour >= %(begin)s and hour < %(end)s group by 1, 2 order by 1, 2
"""  # noqa: S608 - names of our own

_KINDS = f"""
select hour < %(middle)s as is_prior, message_type, trigger_event, version, {_SUMS}
from {SCHEMA}.message_hours where hour >= %(begin)s and hour < %(end)s
group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""  # noqa: S608

_PROCESSING = """
with counted as (
  select {key} as key, v.ms, sum(v.n) as n
  from {schema}.processing_hours h, unnest(h.milliseconds, h.messages) v (ms, n)
  where h.hour >= %(begin)s and h.hour < %(end)s group by 1, 2),
ranked as (
  select key, ms, sum(n) over (partition by key order by ms) as upto,
    sum(n) over (partition by key) as every from counted)
select key, max(every)::bigint as measured,
  min(ms) filter (where upto >= 0.50 * every) as p50,
  min(ms) filter (where upto >= 0.95 * every) as p95,
  min(ms) filter (where upto >= 0.99 * every) as p99, max(ms) as longest
from ranked group by key order by key
"""

_OUTCOMES = f"""
select hour < %(middle)s as is_prior, sum(messages)::bigint as messages,
  sum(complete)::bigint as complete, sum(failed)::bigint as failed, sum(open)::bigint as open
from {SCHEMA}.outcome_hours where hour >= %(begin)s and hour < %(end)s group by 1 order by 1
"""  # noqa: S608

_WAITING = f"""
select coalesce(connection_id, {NOBODY}) as connection_id,
  count(*) filter (where status = 'Q') as queued,
  count(*) filter (where status in ('R', 'P')) as unfinished,
  min(received_at) filter (where status = 'Q' and {DATED.format("received_at")}) as oldest_queued
from {CONTRACT}.messages
where status in ('R', 'Q', 'P') and received_at < %(end)s group by 1 order by 1
"""  # noqa: S608

_CONNECTIONS = f"""
select c.connection_id, c.name, c.system, c.direction, c.is_active,
  (select max(hour) from {SCHEMA}.message_hours h
    where h.connection_id = c.connection_id and h.hour < %(end)s) as last_hour
from {CONTRACT}.connections c order by c.name
"""  # noqa: S608


@dataclass(frozen=True)
class Messages:
    """What was read; each frame is small however many messages there were.

    hours: a row an hour and connection, of the window and the one before it.
    kinds: a row a period, type, trigger event and version.
    processing, processing_before: percentiles of each connection, in milliseconds.
    overall, overall_before: the same of all connections together, one row.
    outcomes: a row a period; messages that several connections carried are counted once.
    waiting: what is queued or unfinished now, however old.
    connections: names, and the last hour in which something came.
    """

    window: Window
    hours: "pd.DataFrame"
    kinds: "pd.DataFrame"
    processing: "pd.DataFrame"
    processing_before: "pd.DataFrame"
    overall: "pd.DataFrame"
    overall_before: "pd.DataFrame"
    outcomes: "pd.DataFrame"
    waiting: "pd.DataFrame"
    connections: "pd.DataFrame"


def read(session: Session, window: Window) -> Messages:
    """Read what a window of messages is made of, and the one before it.

    Raises:
        Transient: the source did not answer in time.

    """
    prior = window.prior
    both = {"begin": prior.begin, "middle": window.begin, "end": window.end}
    return Messages(
        window,
        hours=session.frame("messages by hour", _HOURS, both),
        kinds=session.frame("messages by kind", _KINDS, both),
        processing=percentiles(session, window, "h.connection_id"),
        processing_before=percentiles(session, prior, "h.connection_id"),
        overall=percentiles(session, window),
        overall_before=percentiles(session, prior),
        outcomes=session.frame("whole messages", _OUTCOMES, both),
        waiting=session.frame("what waits", _WAITING, both),
        connections=session.frame("connections", _CONNECTIONS, both),
    )


def percentiles(session: Session, window: Window, key: str = "0") -> "pd.DataFrame":
    """Read p50, p95, p99 and the longest processing time, in milliseconds, by a key.

    Args:
        session: what is read.
        window: the hours that count.
        key: a column of `processing_hours`, such as `h.hour`; by default all together.

    Returns:
        key, measured, p50, p95, p99, longest; a row a key that has any time.

    """
    query = _PROCESSING.format(key=key, schema=SCHEMA)
    return session.frame("processing time", query, {"begin": window.begin, "end": window.end})
