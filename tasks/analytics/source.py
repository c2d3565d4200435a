"""Where analytics reads: a standby, a restored copy, or else the primary; never but to read."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, LiteralString

from psycopg import Column, postgres

from tasks.analytics.window import zone
from tasks.control.errors import Refused
from tasks.control.settings import Settings
from tasks.postgres.server import Connection, Server, reported
from tasks.repository.facts import CONTRACT


if TYPE_CHECKING:
    import pandas as pd

_TYPES = {
    "timestamptz": "datetime64[us, UTC]",
    "int8": "int64",
    "int4": "int64",
    "float8": "float64",
    "bool": "bool",
}

TYPES: Mapping[int, str] = {postgres.types[name].oid: kind for name, kind in _TYPES.items()}
"""What a column is where no row shows it."""

Kind = Literal["primary", "standby", "copy"]

SAID: Mapping[Kind, str] = {
    "primary": "the primary, since neither ANALYTICS_URL nor STANDBY_URL is set",
    "standby": "a standby",
    "copy": "a restored copy",
}


@dataclass(frozen=True)
class Source:
    """A server to read, what it is to the operated one, and how long a statement may take."""

    server: Server
    kind: Kind
    timeout_s: int
    timezone: str


@dataclass(frozen=True)
class Asked:
    """One query that was asked: its name, how long it took, and how many rows came back."""

    name: str
    seconds: float
    rows: int


@dataclass
class Session:
    """One snapshot of a source: whatever is asked of it is of the same moment."""

    source: Source
    connection: Connection
    data_as_of: datetime
    tell: Callable[[str], None] = lambda _: None
    asked: list[Asked] = field(default_factory=list)

    def rows(
        self, name: str, query: LiteralString, values: Mapping[str, object]
    ) -> list[tuple[Any, ...]]:
        """Ask one query; return its rows."""
        return self._ask(name, query, values)[1]

    def _ask(
        self, name: str, query: LiteralString, values: Mapping[str, object]
    ) -> tuple[list[Column], list[tuple[Any, ...]]]:
        self.tell(name)
        began = time.monotonic()
        with reported(self.source.server.stanza):
            cursor = self.connection.execute(query, values)
            found = cursor.fetchall()
        self.asked.append(Asked(name, time.monotonic() - began, len(found)))
        return cursor.description or [], found

    def frame(
        self, name: str, query: LiteralString, values: Mapping[str, object]
    ) -> "pd.DataFrame":
        """Ask one query, which aggregates in the server, and return its rows as a frame.

        Columns of times and numbers are such also where there is no row.

        Raises:
            Transient: it took longer than the source's timeout, or the connection was lost.

        """
        import pandas as pd  # noqa: PLC0415 - half a second

        columns, found = self._ask(name, query, values)
        frame = pd.DataFrame(found, columns=[column.name for column in columns])
        if found:
            return frame
        return frame.astype({c.name: TYPES[c.type_code] for c in columns if c.type_code in TYPES})


def choose(settings: Settings, primary: Server, copy: Server | None = None) -> Source:
    """Choose where to read: the copy that was asked for, what the settings name, or the primary.

    Args:
        settings: `ANALYTICS_URL`, or else `STANDBY_URL`, names a server other than the primary.
        primary: the operated server.
        copy: a restored copy that runs; the database of the primary's address is read there.

    Raises:
        Refused: there is no such time zone as the settings name.

    """
    zone(settings.analytics_timezone)
    url = settings.analytics_url or settings.standby_url
    limits = settings.analytics_timeout_seconds, settings.analytics_timezone
    if copy is not None:
        return Source(copy.database(primary.parameters()["dbname"]), "copy", *limits)
    if url is not None:
        return Source(Server(settings.stanza, url.get_secret_value()), "standby", *limits)
    return Source(primary, "primary", *limits)


_STANDING = """
select case when pg_is_in_recovery() then coalesce(pg_last_xact_replay_timestamp(),
  (select checkpoint_time from pg_control_checkpoint())) else now() end
"""
"""What has replayed no transaction since it was started has the data of its last checkpoint."""


@contextmanager
def session(source: Source, tell: Callable[[str], None] = lambda _: None) -> Iterator[Session]:
    """Open one read-only snapshot of a source.

    On a primary no statement goes parallel, so that a report costs it one core at most.

    Raises:
        Transient: the source cannot be reached, or does not answer in time.

    """
    with source.server.connect(
        statement_timeout_s=source.timeout_s, lock_timeout_ms=2000, autocommit=False
    ) as connection:
        connection.execute("set transaction isolation level repeatable read read only")
        if source.kind == "primary":
            connection.execute("set max_parallel_workers_per_gather = 0")
        connection.execute("set local jit = off")
        row = connection.execute(_STANDING).fetchone()
        assert row is not None  # noqa: S101 - a query without a FROM
        yield Session(source, connection, row[0], tell)


def has_view(connection: Connection, name: str) -> bool:
    """Tell whether a view of the contract is there."""
    row = connection.execute("select to_regclass(%s)", [f"{CONTRACT}.{name}"]).fetchone()
    return bool(row and row[0])


def require_views(connection: Connection, *names: str) -> None:
    """See that views of the contract are there, which it allows to be missing.

    Raises:
        Refused: one is missing, or may not be seen; names it.

    """
    rows = connection.execute(
        "select v from unnest(%s::text[]) v where to_regclass(%s || '.' || v) is null",
        [list(names), CONTRACT],
    ).fetchall()
    if rows:
        raise Refused(
            "this needs views that are not there",
            seen=f"no {', '.join(name for (name,) in rows)} in {CONTRACT}",
            expected=", ".join(names),
            do="define them as tasks/hl7/platform/CONTRACT.md says",
        )


def listed(found: Sequence[Asked]) -> str:
    """Say what was asked in one line: how many queries, and the slowest of them."""
    if not found:
        return "nothing was asked"
    slowest = max(found, key=lambda asked: asked.seconds)
    return f"{len(found)} queries, the slowest ({slowest.name}) {slowest.seconds:.2f} s"
