"""The oracle: what a cluster holds, read by plain SQL of its own, in the bytes that are stored."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg import conninfo


State = dict[str, str]
"""Each thing by its name, with what it holds: a count and a hash."""

DATABASES = (
    b"select datname, pg_encoding_to_char(encoding) from pg_database"
    b" where datallowconn and datconnlimit <> -2 order by 1"
)

RELATIONS = b"""
select c.oid::text, c.relkind, n.nspname, c.relname,
  (select string_agg(quote_ident(a.attname), ', ' order by a.attname collate "C")
   from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
   and a.attgenerated <> 'v'), c.relispopulated
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm', 'S') and c.relpersistence = 'p'
  and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
"""

BUSY = b"busy"
"""The schema whose tables change meanwhile; each state that is committed is known by its rows."""

ROWS = 100
"""So many rows has a table that changes meanwhile, in each state that is committed."""

MOVING = ("b'event_triggers' b'seen'", "b'visits'", "'passing_", "b'busy_")
"""What is written by what goes on, or by the reading itself."""

SETTINGS = b"""
set search_path = pg_catalog; set extra_float_digits = 1; set datestyle = 'ISO, YMD';
set intervalstyle = 'postgres'; set timezone = 'UTC'; set bytea_output = 'hex';
set row_security = off; set xmloption = 'content'; set lc_monetary = 'C'
"""


@dataclass
class Reading:
    """What a cluster holds, and what no committed state ever was."""

    state: State = field(default_factory=dict)
    torn: list[str] = field(default_factory=list)


def read(reached: str, *, views: bool = True) -> Reading:
    """Read a whole cluster.

    Args:
        reached: how any database of it is reached, as its superuser.
        views: whether materialized views are read; a dump fills them anew.

    """
    found = Reading()
    with _connection(reached) as connection:
        databases = connection.execute(DATABASES).fetchall()
    for name, _ in databases:
        database = name.decode()
        try:
            with _connection(conninfo.make_conninfo(reached, dbname=database)) as connection:
                _read(connection, database, found, views=views)
        except psycopg.OperationalError:
            if not database.startswith("passing_"):
                raise
    return found


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Name what two readings differ in."""
    names = sorted(before.keys() | after.keys())
    told = (f"{name!s}: {before.get(name)} -> {after.get(name)}" for name in names
            if before.get(name) != after.get(name))  # fmt: skip
    return [line for line in told if not any(word in line for word in MOVING)]


def _connection(reached: str) -> psycopg.Connection[tuple[bytes, ...]]:
    return psycopg.connect(reached, autocommit=True, client_encoding="sql_ascii")


def _read(
    connection: psycopg.Connection[tuple[bytes, ...]],
    database: str,
    found: Reading,
    *,
    views: bool,
) -> None:
    connection.execute(SETTINGS)
    for oid, kind, schema, name, columns, is_filled in connection.execute(RELATIONS).fetchall():
        where = f"{database!r} {schema!r} {name!r}"
        quoted = b".".join(b'"' + part.replace(b'"', b'""') + b'"' for part in (schema, name))
        if kind == b"S":
            query = b"select last_value, is_called from " + quoted
        elif kind == b"m" and not (is_filled and views):
            continue
        else:
            query = b"select " + (columns or b"") + b" from only " + quoted
        try:
            rows = sorted(_copied(connection, query))
        except psycopg.Error as error:
            found.state[where] = f"cannot be read: {type(error).__name__}"
            continue
        if schema == BUSY:
            found.torn += torn(where, rows, kind)
        else:
            found.state[where] = f"{len(rows)} rows {_hash(rows)}"
        del oid
    objects = b"select oid from pg_largeobject_metadata order by 1"
    for (number,) in connection.execute(objects).fetchall():
        query = f"select lo_get({int(number)})".encode()
        data = b"".join(_copied(connection, query))
        found.state[f"{database!r} large object {int(number)}"] = _hash([data])


def torn(where: str, rows: list[bytes], kind: bytes) -> Iterator[str]:
    """Say where a table holds what no committed state of it was: see `features/busy.sql`."""
    if kind == b"S":
        return
    generations = {row.partition(b"\t")[0].strip() for row in rows}
    if len(rows) != ROWS or len(generations) != 1:
        yield f"{where}: {len(rows)} rows of {len(generations)} generations"


def _copied(connection: psycopg.Connection[tuple[bytes, ...]], query: bytes) -> Iterator[bytes]:
    """Yield the rows of a query in their text form."""
    with connection.cursor().copy(b"copy (" + query + b") to stdout") as copy:
        for row in copy:
            yield bytes(row)


def _hash(rows: list[bytes]) -> str:
    return hashlib.sha256(b"".join(rows)).hexdigest()[:16]
