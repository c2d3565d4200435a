"""Let nobody wait for our locks: sessions of ours that somebody waits for are ended at once."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tasks.control.errors import OpsError
from tasks.postgres.server import Connection, Server


log = logging.getLogger(__name__)

PAUSE_S = 0.02
"""How often it is looked who waits; with the end of what blocks it, nobody waits above 150 ms."""

_WAITING = """
select exists (select from pg_stat_activity
               where wait_event_type = 'Lock' and wait_event = 'relation')
"""

_END = """
select case when b.application_name = %s then pg_terminate_backend(b.pid)
            else pg_cancel_backend(b.pid) end
from pg_stat_activity w cross join lateral unnest(pg_blocking_pids(w.pid)) blocker
  join pg_stat_activity b on b.pid = blocker
where w.wait_event_type = 'Lock' and w.wait_event = 'relation'
  and b.application_name in (%s, %s)
"""


@contextmanager
def yielding(server: Server, *, cancelled: str, terminated: str) -> Iterator[None]:
    """End what blocks others while the block runs.

    Args:
        server: the server.
        cancelled: the application name of sessions whose statement is cancelled, to be run again.
        terminated: that of sessions which are ended, such as those of programs.

    """
    stop = threading.Event()
    with server.connect() as connection:
        thread = threading.Thread(
            target=_watch, args=(connection, stop, cancelled, terminated), name="lock watch"
        )
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def _watch(connection: Connection, stop: threading.Event, cancelled: str, terminated: str) -> None:
    while not stop.wait(PAUSE_S):
        try:
            row = connection.execute(_WAITING).fetchone()
            if row and row[0]:
                ended = connection.execute(_END, [terminated, terminated, cancelled]).fetchall()
                if ended:
                    log.info("somebody waited for %d of our sessions; they gave way", len(ended))
        except (OpsError, OSError, ValueError):
            return
        except Exception as error:  # noqa: BLE001 - without the watch the reading goes on
            log.warning("nobody sees any more who waits for us: %s", type(error).__name__)
            return
