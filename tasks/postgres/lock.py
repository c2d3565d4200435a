"""One at a time, as the operated server itself sees it: an advisory lock that dies with us."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from tasks.control.errors import Refused
from tasks.postgres.server import Connection, Server


PATIENCE_S = 2.0
"""The server takes a moment to notice that whoever had the lock has died."""

PAUSE_S = 0.1


@contextmanager
def alone(server: Server, work: str) -> Iterator[None]:
    """Hold the stanza's lock for a kind of work while the block runs.

    It stands beside Prefect's concurrency limit, whose leases are lost when its server restarts.

    Raises:
        Refused: another session has it; names its process and since when.

    """
    name = f"hl7ops.{work}.{server.stanza}"
    with server.connect() as connection:
        deadline = time.monotonic() + PATIENCE_S
        while not _has_got(connection, name):
            if time.monotonic() > deadline:
                raise Refused(
                    f"another {work} is running",
                    stanza=server.stanza,
                    seen=_holder(connection, name),
                    expected="one at a time",
                    do="wait until it ends",
                )
            time.sleep(PAUSE_S)
        try:
            yield
        finally:
            with suppress(psycopg.Error):  # it is gone with the session, if that is lost
                connection.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", [name])


def _has_got(connection: Connection, name: str) -> bool:
    row = connection.execute(
        "select pg_try_advisory_lock(hashtextextended(%s, 0))", [name]
    ).fetchone()
    return row == (True,)


def _holder(connection: Connection, name: str) -> str:
    row = connection.execute(
        "select a.pid, a.backend_start from pg_locks l join pg_stat_activity a using (pid)"
        " where l.locktype = 'advisory' and l.granted and l.objsubid = 1"
        " and (l.classid::bigint << 32) | l.objid::bigint = hashtextextended(%s, 0)",
        [name],
    ).fetchone()
    return f"session {row[0]} since {row[1]:%Y-%m-%d %H:%M:%S} UTC" if row else "a session"
