"""Bring the rollups up to the last full hour: only what is new, open or not settled is counted."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tasks.analytics.rollups import counting, hours, tables
from tasks.analytics.source import require_views
from tasks.analytics.window import HOUR, whole_hour
from tasks.postgres.server import Connection, Server
from tasks.repository.facts import CONTRACT


_NAME = "hours"

_STATE = f"""
select through, message_id, patient_id, encounter_id from {tables.SCHEMA}.state where name = %s
"""  # noqa: S608 - names of our own

_LAST_MESSAGE = f"select coalesce(max(message_id), 0) from {CONTRACT}.messages"  # noqa: S608

_LAST_PEOPLE = f"""
select (select coalesce(max(patient_id), 0) from {CONTRACT}.patients),
  (select coalesce(max(encounter_id), 0) from {CONTRACT}.encounters)
"""  # noqa: S608

_HAS_PEOPLE = f"""
select to_regclass('{CONTRACT}.patients') is not null
  and to_regclass('{CONTRACT}.encounters') is not null
"""

_NEW_MESSAGES = f"""
select distinct date_trunc('hour', received_at, 'UTC') from {CONTRACT}.messages
where message_id > %s and {tables.DATED.format("received_at")}
union
select distinct hour from {tables.SCHEMA}.message_hours where queued + unfinished > 0
"""  # noqa: S608

_NEW_VISITS = f"""
select distinct date_trunc('hour', first_seen_at, 'UTC') from {CONTRACT}.patients
where patient_id > %s and {tables.DATED.format("first_seen_at")}
union
select distinct date_trunc('hour', admitted_at, 'UTC') from {CONTRACT}.encounters
where encounter_id > %s and {tables.DATED.format("admitted_at")}
"""  # noqa: S608

_REMEMBER = f"""
insert into {tables.SCHEMA}.state values (%s, %s, %s, %s, %s, now())
on conflict (name) do update set through = greatest(state.through, excluded.through),
  message_id = excluded.message_id,
  patient_id = excluded.patient_id, encounter_id = excluded.encounter_id,
  refreshed_at = excluded.refreshed_at
"""  # noqa: S608


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did: hours of messages that it counted, or kept since they were pruned."""

    through: datetime
    counted: int
    kept: int
    seconds: float


@dataclass(frozen=True)
class _Due:
    """What is to be counted, and what is remembered when it was."""

    message_hours: list[datetime]
    visit_hours: list[datetime]
    ids: tuple[int, ...]


def refresh(
    server: Server,
    now: datetime,
    *,
    timeout_s: int = 300,
    tell: Callable[[str, int, int], None] = lambda *_: None,
) -> Refreshed:
    """Count what has to be counted; again at once it counts the settling hours, to the same end.

    A day's hours are one transaction, so that a kill loses nothing and the next call goes on.

    Args:
        server: the primary, or a copy that takes writes.
        now: until the last full hour before it.
        timeout_s: seconds that a statement may take.
        tell: called with the phase, days done, and days in all.

    Raises:
        Refused: the role may not make the tables, or the platform does not keep the contract.
        Transient: the server cannot be reached, or did not answer in time.

    """
    began = time.monotonic()
    with server.connect(statement_timeout_s=timeout_s) as connection:
        require_views(connection, "connections", "messages")
    tables.install(server)
    through, kept = whole_hour(now), 0
    with server.connect(statement_timeout_s=timeout_s, lock_timeout_ms=60_000) as connection:
        due = _due(connection, through)
        days = hours.chunks(due.message_hours)
        for number, chunk in enumerate(days):
            tell("counting", number, len(days))
            kept += _count(connection, chunk)
        _count_visits(connection, due.visit_hours)
        connection.execute(_REMEMBER, [_NAME, through, *due.ids])
        tell("counting", len(days), len(days))
    return Refreshed(through, len(due.message_hours), kept, time.monotonic() - began)


def counted_through(connection: Connection) -> datetime | None:
    """Return until when the rollups count, or None where they were never refreshed."""
    if not tables.are_installed(connection):
        return None
    row = connection.execute(_STATE, [_NAME]).fetchone()
    return row[0] if row else None


def _due(connection: Connection, through: datetime) -> _Due:
    """See what is new; ids are read first, so that what comes meanwhile is new the next time."""
    (message_id,), (has_people,) = _row(connection, _LAST_MESSAGE), _row(connection, _HAS_PEOPLE)
    people = _row(connection, _LAST_PEOPLE) if has_people else (0, 0)
    known = connection.execute(_STATE, [_NAME]).fetchone()
    counted, *seen = known or (None, 0, 0, 0)
    messages = [hour for (hour,) in connection.execute(_NEW_MESSAGES, [seen[0]])]
    visits = [hour for (hour,) in connection.execute(_NEW_VISITS, seen[1:])] if has_people else None
    return _Due(
        hours.due(through, counted, messages),
        [] if visits is None else hours.due(through, counted, visits, hours.UNCERTAIN),
        (message_id, *people),
    )


def _count(connection: Connection, chunk: hours.Chunk) -> int:
    """Count a day's hours anew; return how many keep what was counted before."""
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [tables.LOCK])
        asked = {"begin": chunk.begin, "end": chunk.end, "hours": chunk.hours}
        connection.execute(counting.FRESH, asked)
        kept = {hour for (hour,) in connection.execute(counting.KEPT, asked)}
        asked["hours"] = [hour for hour in chunk.hours if hour not in kept]
        asked["kept"] = sorted(kept)
        for statement in (*counting.FORGET, *counting.COUNT, *counting.CLOSE):
            connection.execute(statement, asked)
    return len(kept)


def _count_visits(connection: Connection, due: list[datetime]) -> None:
    """Count people of all hours at once: two scans, however many hours there are."""
    if not due:
        return
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [tables.LOCK])
        asked = {"begin": due[0], "end": due[-1] + HOUR, "hours": due}
        for statement in counting.ACTIVITY:
            connection.execute(statement, asked)


def _row(connection: Connection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None  # noqa: S101 - a query without a FROM
    return row
