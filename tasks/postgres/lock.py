"""One at a time, as the operated server itself sees it: an advisory lock that dies with us."""

from collections.abc import Iterator
from contextlib import contextmanager

from tasks.control.errors import Refused
from tasks.postgres.server import Server


@contextmanager
def alone(server: Server, work: str) -> Iterator[None]:
    """Hold the stanza's lock for a kind of work while the block runs.

    It stands beside Prefect's concurrency limit, whose leases are lost when its server restarts.

    Raises:
        Refused: another session has it; names its process and since when.

    """
    name = f"hl7ops.{work}.{server.stanza}"
    with server.connect() as connection:
        had = connection.execute(
            "select pg_try_advisory_lock(hashtextextended(%s, 0))", [name]
        ).fetchone()
        if had != (True,):
            row = connection.execute(
                "select a.pid, a.backend_start from pg_locks l join pg_stat_activity a using (pid)"
                " where l.locktype = 'advisory' and l.granted and l.objsubid = 1"
                " and (l.classid::bigint << 32) | l.objid::bigint = hashtextextended(%s, 0)",
                [name],
            ).fetchone()
            seen = f"session {row[0]} since {row[1]:%Y-%m-%d %H:%M:%S} UTC" if row else "a session"
            raise Refused(
                f"another {work} is running",
                stanza=server.stanza,
                seen=seen,
                expected="one at a time",
                do="wait until it ends",
            )
        yield
