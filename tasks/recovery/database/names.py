"""What databases are called while one of them is set back, and how ours are told from others."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg import sql

from tasks.control import clock
from tasks.postgres.server import Connection


LONGEST = 63
"""A name has at most so many bytes (NAMEDATALEN of PostgreSQL, less its end)."""

Role = Literal["restoring", "before", "undone"]
"""A copy that is being loaded; what was there before a swap; what a roll back has put aside."""

ROLES: tuple[Role, ...] = ("restoring", "before", "undone")


@dataclass(frozen=True)
class Aside:
    """A database of ours beside the one that it is a copy, or the predecessor, of.

    While it stands aside its own comment makes room for ours, and is kept in it.
    """

    name: str
    of: str
    role: Role
    at: datetime
    comment: str | None = None


def aside(database: str, role: Role, at: datetime) -> Aside:
    """Name a database that stands beside another one, by what it is and when it became that."""
    end = f"_{role}_{clock.stamp(at)}"
    begin = database.encode()[: LONGEST - len(end)].decode(errors="ignore")
    return Aside(f"{begin}{end}", database, role, at)


def mark(connection: Connection, of: Aside) -> None:
    """Let a database that bears the name be known as ours."""
    (own,) = _one(connection, _COMMENT, [of.name])
    said = {"of": of.of, "role": of.role, "at": of.at.isoformat(), "comment": own}
    _comment(connection, of.name, json.dumps({"hl7ops": said}))


def unmark(connection: Connection, of: Aside, name: str) -> None:
    """Give a database that has taken another name its own comment back."""
    _comment(connection, name, of.comment)


_COMMENT = "select shobj_description(oid, 'pg_database') from pg_database where datname = %s"


def _one(connection: Connection, query: str, values: list[str]) -> tuple[Any, ...]:
    row = connection.execute(query.encode(), values).fetchone()
    return row or (None,)


def _comment(connection: Connection, name: str, text: str | None) -> None:
    value = sql.Literal(text)
    connection.execute(sql.SQL("comment on database {} is {}").format(sql.Identifier(name), value))


def known(connection: Connection, database: str, role: Role) -> list[Aside]:
    """List what stands beside a database in a role, the oldest first."""
    rows = connection.execute(
        "select datname, shobj_description(oid, 'pg_database') from pg_database order by 1"
    )
    found = [_read(name, comment) for name, comment in rows]
    ours = [each for each in found if each and each.of == database and each.role == role]
    return sorted(ours, key=lambda each: each.at)


def _read(name: str, comment: str | None) -> Aside | None:
    """Read a comment; None: it is not one of ours."""
    try:
        said = json.loads(comment or "")["hl7ops"]
        at = datetime.fromisoformat(said["at"])
        return Aside(name, said["of"], said["role"], at, said["comment"])
    except (ValueError, KeyError, TypeError):
        return None
