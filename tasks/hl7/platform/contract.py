"""Keep the contract: define its views over the embedded platform, and see whether a server has it.

Whoever reads the platform's data reads these views, and nothing else; before it does, it asks
`check` for the ones that it needs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from psycopg import sql

from tasks.control.errors import OpsError, Refused, Transient
from tasks.hl7.platform.partitions import INSTALL_LOCK
from tasks.hl7.platform.promise import TYPES, Column, View
from tasks.hl7.platform.views import SCHEMA, VIEWS
from tasks.postgres.server import Connection, Server, reported


SAMPLE = 100_000
"""Rows of a view that are read to check its values; a wrong mapping shows in far fewer."""

_FIND = """
select has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = %s and c.relname = %s and c.relkind in ('r', 'v', 'm', 'p', 'f')
"""

_COLUMNS = """
select a.attname, format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null)
from pg_attribute a join pg_class c on c.oid = a.attrelid
  join pg_namespace n on n.oid = c.relnamespace join pg_type t on t.oid = a.atttypid
where n.nspname = %s and c.relname = %s and a.attnum > 0 and not a.attisdropped
"""


@dataclass(frozen=True)
class Finding:
    """One thing in which a server does not keep the contract; no value of a row is in it."""

    kind: str
    view: str
    column: str | None
    text: str

    def __str__(self) -> str:
        """Say it in one line."""
        name = f"{self.view}.{self.column}" if self.column else self.view
        return f"{SCHEMA}.{name}: {self.text}"


@dataclass(frozen=True)
class _Session:
    """One connection, in which a statement may fail and the next is carried out all the same."""

    connection: Connection
    stanza: str
    sample: int


def definition(view: View) -> sql.Composed:
    """Return the statement that defines a view over the embedded platform."""
    listed = sql.SQL(", ").join(
        sql.SQL("{} as {}").format(sql.Identifier(column.expression), sql.Identifier(column.name))
        for column in view.columns
    )
    return sql.SQL("create or replace view {} as select {} from {}").format(
        _identifier(view.name), listed, sql.Identifier("hl7", view.name)
    )


def install_views(server: Server) -> None:
    """Define the contract's views over the embedded platform, all or none of them.

    Raises:
        OpsError: a table of the platform is missing, or another's view stands in the way.

    """
    with server.connect(lock_timeout_ms=10_000) as connection, connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [INSTALL_LOCK])
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(SCHEMA)))
        for view in VIEWS:
            connection.execute(definition(view))


def check(
    server: Server, names: Sequence[str] | None = None, *, sample: int = SAMPLE
) -> list[Finding]:
    """Say in words what a server lacks of the contract; nothing means that it keeps it.

    Args:
        server: connected to as the role that will read the views.
        names: the views that are needed; by default all, of which optional ones may be missing.
        sample: rows read of each view; values beyond them are not looked at.

    Raises:
        Refused: a name is not of the contract.
        Transient: the server cannot be reached or does not answer in time.

    """
    known = [view.name for view in VIEWS]
    if not set(names or ()) <= set(known):
        raise Refused("no such view", seen=", ".join(names or ()), expected=", ".join(known))
    asked = [view for view in VIEWS if view.name in (names or known)]
    with server.connect(statement_timeout_s=60) as connection:
        session = _Session(connection, server.stanza, sample)
        findings = {view.name: list(_check(session, view)) for view in asked}
        sound = {name for name, found in findings.items() if not found}
        orphans = list(_orphans(session, sound))
    optional = set() if names else {view.name for view in VIEWS if not view.is_required}
    kept = [finding for found in findings.values() for finding in found]
    kept = [one for one in kept if not (one.kind == "missing view" and one.view in optional)]
    return kept + orphans


def _check(session: _Session, view: View) -> Iterator[Finding]:
    """Yield what a view lacks: itself, the right to read it, columns, types, then values."""
    there = session.connection.execute(_FIND, [SCHEMA, view.name]).fetchone()
    types: dict[str, str] = dict(
        session.connection.execute(_COLUMNS, [SCHEMA, view.name]).fetchall()
    )
    if there is None:
        yield Finding("missing view", view.name, None, f"there is no such view: {view.meaning}")
        return
    if not there[0]:
        yield Finding("not readable", view.name, None, "this role may not read it")
        return
    misfits = [finding for column in view.columns for finding in _misfit(view, column, types)]
    yield from misfits or _contents(session, view)


def _misfit(view: View, column: Column, types: dict[str, str]) -> Iterator[Finding]:
    """Yield that a column is missing, or has a type that the contract does not take."""
    if column.name not in types:
        text = f"there is no such column; it holds: {column.meaning} ({column.type})"
        yield Finding("missing column", view.name, column.name, text)
    elif types[column.name] not in TYPES[column.type]:
        text = f"it is {types[column.name]}; expected: {' or '.join(TYPES[column.type])}"
        yield Finding("wrong type", view.name, column.name, text)


def _contents(session: _Session, view: View) -> Iterator[Finding]:
    """Yield what is wrong with the rows, by counts; a view that fails when read is a finding."""
    counts: list[sql.Composable] = [sql.SQL("count(*)"), _distinct(view.key)]
    counts += [_count_of_nulls(column) for column in view.columns]
    counts += [_count_of_strangers(column) for column in view.columns]
    query = sql.SQL("select {} from (select * from {} limit {}) v").format(
        sql.SQL(", ").join(counts), _identifier(view.name), sql.Literal(session.sample)
    )
    try:
        with reported(session.stanza):
            rows, distinct, *numbers = _row(session.connection, query)
    except Transient:
        raise
    except OpsError as error:
        yield Finding("fails", view.name, None, f"reading it fails: {error}")
        return
    among = f"among {rows} rows read"
    if distinct < rows - numbers[0]:
        text = f"the key is not unique: {distinct} values {among}"
        yield Finding("key not unique", view.name, view.key.name, text)
    nulls, strangers = numbers[: len(view.columns)], numbers[len(view.columns) :]
    for column, null, strange in zip(view.columns, nulls, strangers, strict=True):
        if null and not column.is_nullable:
            yield Finding("null", view.name, column.name, f"{null} are NULL {among}")
        if strange and column.values:
            text = f"{strange} lie outside the value set {', '.join(column.values)}, {among}"
            yield Finding("outside the set", view.name, column.name, text)


def _orphans(session: _Session, sound: set[str]) -> Iterator[Finding]:
    """Yield references that lead to no row; a join would drop their rows without a word."""
    template = sql.SQL(
        "select count(*) from (select {column} as id from {view} limit {sample}) v"
        " where id is not null and not exists (select from {target} t where t.{key} = v.id)"
    )
    keys = {view.name: view.key.name for view in VIEWS}
    pairs = [(v, c) for v in VIEWS for c in v.columns if {v.name, c.references} <= sound]
    for view, column in pairs:
        target = str(column.references)
        query = template.format(
            column=sql.Identifier(column.name),
            view=_identifier(view.name),
            sample=sql.Literal(session.sample),
            target=_identifier(target),
            key=sql.Identifier(keys[target]),
        )
        (count,) = _row(session.connection, query)
        if count:
            text = f"{count} refer to no row of {SCHEMA}.{target}"
            yield Finding("orphan", view.name, column.name, text)


def _identifier(view: str) -> sql.Identifier:
    return sql.Identifier(SCHEMA, view)


def _row(connection: Connection, query: sql.Composed) -> tuple[int, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always gives a row
    return row


def _distinct(key: Column) -> sql.Composable:
    return sql.SQL("count(distinct {})").format(sql.Identifier(key.name))


def _count_of_nulls(column: Column) -> sql.Composable:
    return sql.SQL("count(*) filter (where {} is null)").format(sql.Identifier(column.name))


def _count_of_strangers(column: Column) -> sql.Composable:
    if column.values is None:
        return sql.SQL("0")
    return sql.SQL("count(*) filter (where {}::text <> all ({}))").format(
        sql.Identifier(column.name), sql.Literal(list(column.values))
    )
