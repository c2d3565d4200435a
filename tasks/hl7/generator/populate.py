"""Bring generated traffic into the platform, the way real traffic comes: through a loader."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from datetime import datetime, timedelta
from time import monotonic
from typing import Generic, TypeAlias, TypeVar

from psycopg import sql

from tasks.hl7.generator import interfaces
from tasks.hl7.generator.generate import DAYS, generate
from tasks.hl7.generator.staff import AuditEvent, LoginEvent, audit_events, login_events
from tasks.hl7.generator.traffic import Generated
from tasks.hl7.platform import partitions
from tasks.postgres.server import Connection, Server


AUDITED = 20
"""Messages for each audited action."""

LOGINS = 50
"""Messages for each attempt to log in."""

Report = TypeVar("Report")

Loader: TypeAlias = Callable[[Server, Iterator[Generated]], Report]
"""Takes messages with what is known of their transport, and reports what became of them."""


@dataclass(frozen=True)
class Populated(Generic[Report]):
    """What was brought: the loader's own report, the events that were new, and seconds."""

    loaded: Report
    audit_events: int
    login_events: int
    seconds: float


def populate(
    server: Server,
    load: Loader[Report],
    messages: int,
    *,
    seed: int,
    end: datetime,
    days: float = DAYS,
) -> Populated[Report]:
    """Load so many generated messages of the days before `end`, with connections and events.

    Twice with the same arguments brings nothing new the second time, as far as the loader knows a
    message again by its content.

    Raises:
        Refused: the numbers make no sense, see `generate`.
        Transient: the server cannot be reached.

    """
    started = monotonic()
    stream = generate(messages, seed=seed, end=end, days=days)
    partitions.ensure(server, end - timedelta(days=days), end)
    with server.connect() as connection:
        interfaces.register(connection)
    loaded = load(server, stream)
    with server.connect(autocommit=False) as connection:
        audits = audit_events(messages // AUDITED, seed=seed, end=end, days=days)
        logins = login_events(messages // LOGINS, seed=seed, end=end, days=days)
        audited = _put(connection, "audit_events", "actor", AuditEvent, audits)
        tried = _put(connection, "login_events", "username", LoginEvent, logins)
    return Populated(loaded, audited, tried, monotonic() - started)


def _put(
    connection: Connection,
    table: str,
    who: str,
    kind: type[AuditEvent | LoginEvent],
    events: Iterable[AuditEvent | LoginEvent],
) -> int:
    """Copy events aside, and insert those that are not there: by who and when."""
    target, aside = sql.Identifier("hl7", table), sql.Identifier(f"new_{table}")
    columns = sql.SQL(", ").join(sql.Identifier(field.name) for field in fields(kind))
    connection.execute(
        sql.SQL("create temp table {} on commit drop as select {} from {} limit 0").format(
            aside, columns, target
        )
    )
    copy_in = sql.SQL("copy {} ({}) from stdin").format(aside, columns)
    with connection.cursor() as cursor, cursor.copy(copy_in) as copy:
        for event in events:
            copy.write_row(astuple(event))
    insert = (
        "insert into {target} ({columns}) select {columns} from {aside} n where not exists"
        " (select from {target} t where t.{who} = n.{who} and t.occurred_at = n.occurred_at)"
    )
    return connection.execute(
        sql.SQL(insert).format(target=target, columns=columns, aside=aside, who=sql.Identifier(who))
    ).rowcount
