"""A row every second with its time and position, by which a copy says how much was lost."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.control.errors import OpsError, Refused, Transient
from tasks.postgres.server import Connection, Server


EVERY_S = 1.0

KEPT = timedelta(days=7)
"""How long beats are kept; older ones say nothing that a backup does not."""

PRUNED_EVERY = 3600
"""After so many beats old ones are removed."""

_INSTALL = """
create schema if not exists hl7ops;
create table if not exists hl7ops.heartbeat (
  number bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  lsn pg_lsn not null default pg_current_wal_insert_lsn())
"""


@dataclass(frozen=True)
class Beat:
    """One beat: its number, when it was, and where the WAL was then."""

    number: int
    at: datetime
    lsn: str


def install(server: Server) -> None:
    """Make the table of beats where it is missing."""
    with server.connect(statement_timeout_s=60) as connection:
        connection.execute(_INSTALL.encode())


def beat(connection: Connection) -> Beat:
    """Write one beat."""
    row = connection.execute(
        "insert into hl7ops.heartbeat default values returning number, at, lsn::text"
    ).fetchone()
    assert row is not None  # noqa: S101 - it was inserted
    made = Beat(*row)
    if made.number % PRUNED_EVERY == 0:
        connection.execute("delete from hl7ops.heartbeat where at < now() - %s", [KEPT])
    return made


def keep_beating(
    server: Server,
    seconds: float | None = None,
    tell: Callable[[Beat], None] = lambda _: None,
) -> int:
    """Beat every second until interrupted; return how often.

    A server that goes away is come back to; the gap in the beats is the outage.

    Args:
        server: the operated one.
        seconds: end after so many; None: run on.
        tell: told of each beat.

    """
    install(server)
    end = time.monotonic() + (float("inf") if seconds is None else seconds)
    beats = 0
    while time.monotonic() < end:
        try:
            with server.connect(statement_timeout_s=10) as connection:
                while time.monotonic() < end:
                    due = time.monotonic() + EVERY_S
                    tell(beat(connection))
                    beats += 1
                    time.sleep(max(0.0, min(due, end) - time.monotonic()))
        except Transient:
            time.sleep(EVERY_S)
    return beats


def last(server: Server) -> Beat:
    """Return the last beat that a database holds.

    Raises:
        Refused: it holds none.

    """
    try:
        with server.connect(statement_timeout_s=60) as connection:
            row = connection.execute(
                "select number, at, lsn::text from hl7ops.heartbeat order by number desc limit 1"
            ).fetchone()
    except Transient:
        raise
    except OpsError:
        row = None
    if row is None:
        raise Refused(
            "there is no heartbeat in the database",
            stanza=server.stanza,
            expected="rows in hl7ops.heartbeat",
            do="run `hl7ops heartbeat` as a service, so that the next loss can be measured",
        )
    return Beat(*row)
