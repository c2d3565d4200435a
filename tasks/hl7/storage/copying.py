"""Rows into tables, many at a time."""

from collections.abc import Iterable, Mapping, Sequence

from psycopg import sql

from tasks.postgres.server import Connection


def copy(
    connection: Connection,
    table: str,
    types: Mapping[str, str],
    rows: Iterable[Sequence[object]],
) -> None:
    """Copy rows into a table of the platform, in PostgreSQL's binary format.

    Args:
        connection: within a transaction.
        table: its name in the schema `hl7`, or that of a temporary table.
        types: the types of its columns, by name, in the order of the rows' values.
        rows: the rows.

    """
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, types))
    )
    with connection.cursor().copy(statement) as stream:
        stream.set_types(list(types.values()))
        for row in rows:
            stream.write_row(row)


def staged(
    connection: Connection,
    name: str,
    types: Mapping[str, str],
    rows: Iterable[Sequence[object]],
) -> None:
    """Copy rows into a temporary table that goes with the transaction."""
    columns = ", ".join(f"{column} {kind}" for column, kind in types.items())
    connection.execute(f"create temp table {name} ({columns}) on commit drop".encode())
    copy(connection, name, types, rows)
