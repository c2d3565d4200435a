"""The names in a dump, in whatever encoding its database has."""

import pytest
from psycopg import sql

from tasks.postgres import schema_dump


ENCODINGS = {
    "UTF8": ("Größe", "Größe"),
    "LATIN1": ("Größe", "Größe"),
    "LATIN2": ("Wręgi", "Wręgi"),
    "KOI8R": ("Имя", "Имя"),
    "WIN1251": ("Имя", "Имя"),
    "EUC_JP": ("名前", "名前"),
    "SQL_ASCII": ("Größe", "Größe".encode().decode("latin-1")),
}
"""By encoding: what is made, and what it is called where texts are read."""


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_name_is_the_one_that_a_session_reads(home, server, encoding):
    """A seal holds names as sessions read them, and dumps are held against it."""
    made, expected = ENCODINGS[encoding]
    with server.connect() as connection:
        connection.execute("drop database if exists other")
        connection.execute(
            sql.SQL("create database other template template0 locale 'C' encoding {}").format(
                encoding
            )
        )
    other = server.database("other")
    with other.connect() as connection:
        if encoding == "SQL_ASCII":
            made = expected  # which is sent byte by byte
        connection.execute(sql.SQL("create table {} (n int)").format(sql.Identifier(made)))
        query = "select relname::text from pg_class where relnamespace = 'public'::regnamespace"
        assert connection.execute(query).fetchone() == (expected,)

    names = [each.name for each in schema_dump.of_database(home.programs, other)]

    assert f'table public."{expected}"' in names or f"table public.{expected}" in names
