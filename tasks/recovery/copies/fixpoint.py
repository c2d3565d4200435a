"""What a dump's definitions become when they are loaded: the spelling that a copy must have.

PostgreSQL spells some expressions anew when it reads them, such as `check (a in ('x', 'y'))` on a
`varchar`, and other versions spell them otherwise. So a copy is held against another one, of its
definitions alone, that is loaded from the same dump beside it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from tasks.postgres import dump_toc, programs, schema_dump
from tasks.postgres.schema_dump import Definition
from tasks.postgres.server import Server


NAME = "hl7ops_fixpoint"
"""The database that definitions are loaded into; it is dropped again."""

TIMEOUT_S = 3600

_LIKE = """
select pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,
       to_jsonb(d) ->> 'datlocprovider', coalesce(to_jsonb(d) ->> 'datlocale',
                                                  to_jsonb(d) ->> 'daticulocale')
from pg_database d where d.datname = current_database()
"""

PROVIDERS = {"i": "icu", "b": "builtin", "c": "libc"}


@dataclass(frozen=True)
class LoadedDump:
    """A dump, what of it was loaded, and the database that it was loaded into.

    Args:
        server: the database.
        tools: the directory of PostgreSQL's programs.
        dump: the dump, a file or a directory.
        entries: the list of entries that were loaded; None: all.
        beside: a server of ours on which the definitions may be loaded once more; None: the same.

    """

    server: Server
    tools: Path
    dump: Path
    entries: Path | None = None
    beside: Server | None = None

    def definitions(self) -> list[Definition]:
        """Return the definitions that were to be loaded.

        Raises:
            Corrupt: the dump cannot be read.

        """
        entries = dump_toc.of_dump(self.dump)
        if self.entries:
            lines = self.entries.read_text().splitlines()
            chosen = {int(line.partition(";")[0]) for line in lines}
            entries = [each for each in entries if each.number in chosen]
        return schema_dump.definitions(entries)

    def fixpoint(self) -> list[Definition]:
        """Load the definitions alone, and return what they became; what fails is left out.

        Subscriptions are, which hold no expression: a database that has one cannot be dropped.
        """
        with self._made() as server:
            chosen = ["--use-list", self.entries] if self.entries else []
            how = ["--schema-only", "--no-subscriptions", "--no-password", *chosen]
            with programs.addressed(server) as (address, env):
                programs.run(
                    self.tools,
                    "pg_restore",
                    [*how, *address, self.dump],
                    timeout_s=TIMEOUT_S,
                    env=env,
                    accept=(0, 1),
                )
            return schema_dump.of_database(self.tools, server)

    @contextmanager
    def _made(self) -> Iterator[Server]:
        """Yield an empty database that has the encoding and the locale of the loaded one."""
        with self.server.connect() as connection:
            row = connection.execute(_LIKE.encode()).fetchone()
        assert row is not None  # noqa: S101 - we are in it
        where = (self.beside or self.server).database("template1")
        drop = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(NAME))
        with where.connect() as connection:
            connection.execute(drop)
            connection.execute(_create(*row))
        try:
            yield where.database(NAME)
        finally:
            with where.connect() as connection:
                connection.execute(drop)


def _create(
    encoding: str, collate: str, ctype: str, provider: str | None, locale: str | None
) -> sql.Composed:
    parts: list[sql.Composable] = [
        sql.SQL("create database {} template template0").format(sql.Identifier(NAME)),
        sql.SQL("encoding {} lc_collate {} lc_ctype {}").format(encoding, collate, ctype),
    ]
    if provider in ("i", "b") and locale:
        key = sql.SQL("icu_locale" if provider == "i" else "builtin_locale")
        named = sql.SQL(PROVIDERS[provider])
        parts.append(sql.SQL("locale_provider {} {} {}").format(named, key, locale))
    return sql.SQL(" ").join(parts)
