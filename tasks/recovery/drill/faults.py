"""Faults that a drill brings into its own copy, to see that the checks find them."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import sql

from tasks.control.errors import Refused
from tasks.postgres.server import Connection, Server
from tasks.postgres.table_digest import Table, tables


@dataclass(frozen=True)
class Fault:
    """Something that was done to a copy: what, and to what."""

    name: str
    subject: str


def bring(server: Server, database: str, chance: random.Random) -> Fault:
    """Do one thing to a database of a copy, as chance determines.

    Raises:
        Refused: the database holds nothing that could be damaged.

    """
    with server.database(database).connect() as connection:
        kinds = list(KINDS.items())
        chance.shuffle(kinds)
        for name, cause in kinds:
            subject = cause(connection, chance)
            if subject is not None:
                return Fault(name, f"{database}.{subject}")
    raise Refused("there is nothing that a fault could be brought into", seen=database)


def _filled(connection: Connection, chance: random.Random) -> Table | None:
    """Choose a table that has rows."""
    found = tables(connection)
    chance.shuffle(found)
    query = sql.SQL("select exists (select from {})")
    for table in found:
        row = connection.execute(query.format(table.identifier)).fetchone()
        if row == (True,):
            return table
    return None


def _on_rows(statement: str) -> Callable[[Connection, random.Random], str | None]:
    """Return what runs a statement on a table that has rows; no trigger or key of it fires."""

    def cause(connection: Connection, chance: random.Random) -> str | None:
        table = _filled(connection, chance)
        if table is None:
            return None
        connection.execute("set session_replication_role = replica")
        one = sql.SQL("(select ctid from {} order by random() limit 1)").format(table.identifier)
        text = sql.SQL(statement)
        with _silenced(connection, table):
            connection.execute(text.format(table=table.identifier, one=one))
        return table.full_name

    return cause


@contextmanager
def _silenced(connection: Connection, table: Table) -> Iterator[None]:
    """Disable the triggers of a table that fire even for a replica, and enable them as they were.

    They might reach out of the copy; and that they are disabled would be noticed instead of the
    fault.
    """
    found = connection.execute(
        "select tgname, case tgenabled when 'A' then 'always' else 'replica' end from pg_trigger"
        " where tgenabled in ('A', 'R') and tgrelid = %s::regclass",
        [table.identifier.as_string(connection)],
    ).fetchall()
    alter = sql.SQL("alter table {} {} trigger {}")
    for name, _ in found:
        off = sql.SQL("disable")
        connection.execute(alter.format(table.identifier, off, sql.Identifier(name)))
    yield
    for name, enabled in found:
        again = sql.SQL(f"enable {enabled}")
        connection.execute(alter.format(table.identifier, again, sql.Identifier(name)))


def _index(connection: Connection, chance: random.Random) -> str | None:
    rows = connection.execute(
        "select i.indexrelid::regclass::text from pg_index i"
        " join pg_class c on c.oid = i.indexrelid"
        " join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'i' and not i.indisunique"
        " and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'"
        " and not exists (select from pg_inherits where inhrelid = c.oid) order by 1"
    ).fetchall()
    if not rows:
        return None
    (name,) = chance.choice(rows)
    connection.execute(sql.SQL("drop index {}").format(sql.SQL(name)))
    return str(name)


def _sequence(connection: Connection, chance: random.Random) -> str | None:
    rows = connection.execute(
        "select format('%I.%I', schemaname, sequencename), min_value from pg_sequences"
        " where last_value > min_value order by 1"
    ).fetchall()
    if not rows:
        return None
    name, first = chance.choice(rows)
    connection.execute("select setval(%s::regclass, %s)", [name, first])
    return str(name)


KINDS: dict[str, Callable[[Connection, random.Random], str | None]] = {
    "a row is gone": _on_rows("delete from {table} where ctid = {one}"),
    "a table is empty": _on_rows("delete from {table}"),
    "an index is gone": _index,
    "a sequence is set back": _sequence,
}
