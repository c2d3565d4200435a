"""Let nobody wait for us: sessions of ours that somebody waits for are ended at once."""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import LiteralString, TypeAlias

from tasks.control.errors import OpsError
from tasks.postgres.server import Connection, Server


log = logging.getLogger(__name__)

Ending: TypeAlias = tuple[LiteralString, list[str | float]]
"""A statement that ends sessions, and what it is given."""

PAUSE_S = 0.02
"""How often it is looked who waits; with the end of what blocks it, nobody waits above 150 ms."""

_WAITING = """
select exists (select from pg_stat_activity
               where wait_event_type = 'Lock' and wait_event = 'relation')
"""

SELDOM = 25
"""Each so many looks it is looked who wants a database for himself; he waits five seconds."""

_LEAVE = """
select pg_terminate_backend(a.pid)
from pg_locks l join pg_stat_activity a on a.datid = l.objid
where l.locktype = 'object' and l.classid = 'pg_database'::regclass
  and l.mode in ('AccessExclusiveLock', 'ShareLock') and a.application_name in (%s, %s)
"""
"""Who drops, renames or moves a database, or takes it for a template, waits until nobody is in it.

He holds these locks on the database meanwhile, and fails in the end where somebody stays.
"""

PATIENCE_S = 2.0
"""How long a program of PostgreSQL waits for a lock: `pg_dump` has no limit for those of views."""

_END = """
select case when b.application_name = %s then pg_terminate_backend(b.pid)
            else pg_cancel_backend(b.pid) end
from pg_stat_activity w cross join lateral unnest(pg_blocking_pids(w.pid)) blocker
  join pg_stat_activity b on b.pid = blocker
where w.wait_event_type = 'Lock' and w.wait_event = 'relation'
  and b.application_name in (%s, %s)
"""

_GIVE_UP = """
select pg_cancel_backend(a.pid) from pg_stat_activity a
where a.wait_event_type = 'Lock' and a.application_name = %s
  and (select max(clock_timestamp() - l.waitstart) from pg_locks l
       where l.pid = a.pid and not l.granted) > make_interval(secs => %s)
"""


@contextmanager
def yielding(server: Server, *, cancelled: str, terminated: str) -> Iterator[None]:
    """End what blocks others while the block runs, and programs of ours that wait too long.

    Args:
        server: the server.
        cancelled: the application name of sessions whose statement is cancelled, to be run again.
        terminated: that of sessions which are ended, such as those of programs.

    """
    ending: list[Ending] = [
        (_END, [terminated, terminated, cancelled]),
        (_GIVE_UP, [terminated, PATIENCE_S]),
    ]
    with _watched(server, ending, [(_LEAVE, [cancelled, terminated])]):
        yield


@contextmanager
def impatient(server: Server, application: str) -> Iterator[None]:
    """End the sessions of a program that wait too long for a lock while the block runs."""
    with _watched(server, [(_GIVE_UP, [application, PATIENCE_S])]):
        yield


@contextmanager
def _watched(
    server: Server, ending: Sequence[Ending], leaving: Sequence[Ending] = ()
) -> Iterator[None]:
    stop = threading.Event()
    with server.connect() as connection:
        arguments = (connection, stop, ending, leaving)
        thread = threading.Thread(target=_watch, args=arguments, name="lock watch")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def _watch(
    connection: Connection,
    stop: threading.Event,
    ending: Sequence[Ending],
    leaving: Sequence[Ending],
) -> None:
    looks = 0
    while not stop.wait(PAUSE_S):
        looks += 1
        try:
            row = connection.execute(_WAITING).fetchone()
            due = [*(ending if row and row[0] else ()), *(() if looks % SELDOM else leaving)]
            ended = [pid for each in due for pid in connection.execute(*each).fetchall()]
            if ended:
                log.info("ended %d of our sessions: somebody waited or locked", len(ended))
        except (OpsError, OSError, ValueError):
            return
        except Exception as error:  # noqa: BLE001 - without the watch the reading goes on
            log.warning("nobody sees any more who waits for us: %s", type(error).__name__)
            return
