"""The databases of a server: which can be connected to, and why the others cannot."""

from dataclasses import dataclass

from tasks.control.errors import OpsError
from tasks.postgres.server import Connection, Server


PRISTINE = "template0"
"""PostgreSQL's own template, which takes no connections and which nobody changes."""

_DATABASES = """
select datname::text, datallowconn, datconnlimit, datistemplate from pg_database order by 1
"""

_IS_BARE = """
select not exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
                   where c.relkind in ('r', 'm', 'S') and n.nspname <> 'information_schema'
                     and n.nspname !~ '^pg_')
  and not exists (select from pg_largeobject_metadata)
"""

INVALID = -2
"""The connection limit of a database whose removal was interrupted (PostgreSQL 16, 15.4)."""


@dataclass(frozen=True)
class Databases:
    """The names of those that take connections, and of the others, each with the reason.

    Of the open ones, `templates` must not be held open: `create database` waits five seconds for
    whoever is connected to one, and fails.
    """

    open: list[str]
    closed: dict[str, str]
    templates: frozenset[str] = frozenset()


def databases(connection: Connection) -> Databases:
    """List the databases of a server, templates of its users among them."""
    found: list[str] = []
    closed: dict[str, str] = {}
    templates = set()
    for name, is_open, limit, is_template in connection.execute(_DATABASES):
        if limit == INVALID:
            closed[name] = "it is invalid: its removal was interrupted"
        elif is_open:
            found.append(name)
            templates |= {name} if is_template else set()
        elif name != PRISTINE:
            closed[name] = "it takes no connections"
    return Databases(found, closed, frozenset(templates))


def is_bare(server: Server, name: str) -> bool:
    """Tell whether a database has no table, so that nobody need stay connected to read it."""
    try:
        with server.database(name).connect() as connection:
            return connection.execute(_IS_BARE.encode()).fetchone() == (True,)
    except OpsError:
        return False
