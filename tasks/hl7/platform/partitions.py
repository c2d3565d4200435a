"""The monthly partitions of `hl7.messages`, made before they are needed."""

from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import sql

from tasks.postgres.server import Connection, Server


DEFAULT = "messages_default"
"""Holds what no month was made for; a month that is made takes its rows out of here."""

INSTALL_LOCK = 0x484C_3753
"""Advisory lock of whoever changes the platform's tables ("HL7S")."""


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month in UTC."""

    year: int
    number: int

    @property
    def partition(self) -> str:
        """Name of the month's partition: `messages_2026_11`."""
        return f"messages_{self.year:04}_{self.number:02}"

    @property
    def begin(self) -> datetime:
        """The first instant of the month."""
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    def next(self) -> "Month":
        """Return the month after this one."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)


def month_of(moment: datetime) -> Month:
    """Return the month that an aware moment lies in, in UTC."""
    utc = moment.astimezone(UTC)
    return Month(utc.year, utc.month)


def months(first: datetime, last: datetime) -> list[Month]:
    """List the months from the one of `first` to the one of `last`, both included."""
    found = [month_of(first)]
    while found[-1] < month_of(last):
        found.append(found[-1].next())
    return found


def ensure(server: Server, first: datetime, last: datetime) -> list[str]:
    """Make the partitions of all months from `first` to `last`; return those that were missing.

    Call it before a load with the earliest and latest `received_at` of it. A row whose month is
    missing is not lost: it goes to the default partition, from which the month takes it when made.
    """
    with server.connect(lock_timeout_ms=10_000) as connection, connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [INSTALL_LOCK])
        return make(connection, months(first, last))


def make(connection: Connection, wanted: list[Month]) -> list[str]:
    """Make the partitions that are missing, in the caller's transaction and under its lock."""
    missing = [month for month in wanted if month.partition not in existing(connection)]
    for month in missing:
        _make(connection, month)
    return [month.partition for month in missing]


def existing(connection: Connection) -> set[str]:
    """Return the names of the partitions that are there."""
    rows = connection.execute(
        "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid"
        " where i.inhparent = 'hl7.messages'::regclass"
    )
    return {name for (name,) in rows}


def _make(connection: Connection, month: Month) -> None:
    """Fill a table aside and attach it: readers and writers of other months are not locked out."""
    table = sql.Identifier("hl7", month.partition)
    begin, end = sql.Literal(month.begin), sql.Literal(month.next().begin)
    like = "create table {} (like hl7.messages including defaults including constraints)"
    connection.execute(sql.SQL(like).format(table))
    moved = (
        "with moved as (delete from hl7.messages_default"
        " where received_at >= {} and received_at < {} returning *)"
        " insert into {} select * from moved"
    )
    connection.execute(sql.SQL(moved).format(begin, end, table))
    attach = "alter table hl7.messages attach partition {} for values from ({}) to ({})"
    connection.execute(sql.SQL(attach).format(table, begin, end))
