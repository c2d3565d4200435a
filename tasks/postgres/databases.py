"""The databases of a server: which can be connected to, and why the others cannot."""

from dataclasses import dataclass

from tasks.postgres.server import Connection


PRISTINE = "template0"
"""PostgreSQL's own template, which takes no connections and which nobody changes."""

_DATABASES = """
select datname::text, datallowconn, datconnlimit from pg_database order by 1
"""

INVALID = -2
"""The connection limit of a database whose removal was interrupted (PostgreSQL 16, 15.4)."""


@dataclass(frozen=True)
class Databases:
    """The names of those that take connections, and of the others, each with the reason."""

    open: list[str]
    closed: dict[str, str]


def databases(connection: Connection) -> Databases:
    """List the databases of a server, templates of its users among them."""
    found: list[str] = []
    closed: dict[str, str] = {}
    for name, is_open, limit in connection.execute(_DATABASES):
        if limit == INVALID:
            closed[name] = "it is invalid: its removal was interrupted"
        elif is_open:
            found.append(name)
        elif name != PRISTINE:
            closed[name] = "it takes no connections"
    return Databases(found, closed)
