"""Install the platform's schema, and tell whether it is there."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.engine import URL
from sqlalchemy.schema import CreateIndex, CreateSequence, CreateTable, ExecutableDDLElement

from tasks.control import clock
from tasks.hl7.platform import clinical, partitions, tables
from tasks.hl7.platform.columns import SCHEMA
from tasks.postgres.server import Server


TABLES = (*tables.TABLES, *clinical.TABLES)
"""Every table of the platform, those that are referred to first."""


def statements() -> list[str]:
    """Return the DDL of the platform in order; each statement leaves alone what is there."""
    made = [f"create schema if not exists {SCHEMA}"]
    made += [_compiled(element) for element in _elements()]
    made.append(
        f"create table if not exists {SCHEMA}.{partitions.DEFAULT}"
        f" partition of {SCHEMA}.messages default"
    )
    return made


def _elements() -> Iterator[ExecutableDDLElement]:
    """Yield the sequence first, since a default refers to it, then each table and its indexes."""
    yield CreateSequence(tables.message_ids, if_not_exists=True)
    for table in TABLES:
        yield CreateTable(table, if_not_exists=True)
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            yield CreateIndex(index, if_not_exists=True)


def _compiled(element: ExecutableDDLElement) -> str:
    return str(element.compile(dialect=URL.create("postgresql+psycopg").get_dialect()())).strip()


def install(server: Server, *, now: datetime | None = None) -> None:
    """Make the schema, its tables, and the partitions of this month and the next.

    One transaction under an advisory lock: two installers at once give one schema, a failure gives
    none, and what is there already stays.

    Raises:
        Transient: another session holds a table for longer than ten seconds.

    """
    with server.connect(lock_timeout_ms=10_000) as connection, connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [partitions.INSTALL_LOCK])
        for statement in statements():
            connection.execute(statement)
        month = partitions.month_of(now or clock.now())
        partitions.make(connection, [month, month.next()])


def is_installed(server: Server) -> bool:
    """Tell whether every table of the platform is there."""
    names = [table.fullname for table in TABLES]
    with server.connect(statement_timeout_s=10) as connection:
        row = connection.execute(
            "select count(to_regclass(name)) from unnest(%s::text[]) name", [names]
        ).fetchone()
    return row == (len(names),)
