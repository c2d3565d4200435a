"""Mutations drawn by chance: an object of any kind, and something that is done to it."""

import random
import re

import psycopg
from psycopg import sql

from benchmarks.hostile.features import Feature


CATALOGUES = [
    f"pg_{name}"
    for line in (
        "class proc type constraint trigger rewrite policy operator opclass opfamily conversion",
        "collation ts_config ts_dict ts_parser ts_template statistic_ext cast language",
        "foreign_data_wrapper foreign_server event_trigger publication subscription namespace",
        "extension am authid database tablespace",
    )
    for name in line.split()
]

OF_OURS = """
select type, identity, coalesce(name, '') from (
  select (pg_identify_object({class}::regclass, oid, 0)).* from {table} o where oid >= 16384
  and not exists (select from pg_depend d
    where d.classid = {class}::regclass and d.objid = o.oid and d.deptype = 'e')) x
where coalesce(schema, '') not in ('pg_toast', 'information_schema')
  and identity not in ('hostile', 'public') and type not like 'toast%'
"""
"""Objects of the users; members of an extension are what the extension makes of them."""

NO_NAMES = {"", "garden", "public", "on", "AS", "USING", "btree", "hash", "integer", "text"}

WORDS = {
    "foreign-data wrapper": "foreign data wrapper",
    "statistics object": "statistics",
    "table constraint": "constraint",
    "composite type": "type",
}
"""What PostgreSQL's statements call what it identifies otherwise."""

ANY = (
    "drop {kind} {it}",
    "comment on {kind} {it} is 'drawn'",
    "alter {kind} {it} owner to other",
    "alter {kind} {it} rename to renamed_",
    "alter {kind} {it} set schema public",
    "grant all on {kind} {it} to public",
)

TABLE = (
    "alter table {it} add column drawn_ int default 7",
    "alter table {it} add constraint drawn_ check (1 = 1)",
    "alter table {it} enable row level security",
    "alter table {it} set (fillfactor = 33)",
    "alter table {it} replica identity nothing",
    "create index drawn_ on {it} ((1))",
    "create rule drawn_ as on delete to {it} do also notify drawn",
    "create view drawn_ as select * from {it}",
    "create statistics drawn_ on tableoid, ctid from {it}",
    "create table drawn_ () inherits ({it})",
    "grant insert on {it} to keeper",
    "create publication drawn_ for table {it}",
)

MORE = {
    "table": TABLE,
    "sequence": ("alter sequence {it} increment 3", "alter sequence {it} maxvalue 99999"),
    "function": ("alter function {it} parallel safe", "alter function {it} rows 7"),
    "role": ("alter role {it} set lock_timeout = '7s'", "alter role {it} valid until '2031-01-01'"),
    "schema": ("create table {it}.drawn_ (n int)", "create domain {it}.drawn_ as int"),
    "database": ("alter database {it} set lock_timeout = '7s'",),
    "index": ("alter index {it} set (fillfactor = 44)",),
    "type": ("create function drawn_({it}) returns int language sql as 'select 1'",),
    "view": ("alter view {it} set (security_invoker)", "create view drawn_ as table {it}"),
}
"""What can be done to objects of one kind besides."""


def draw(chance: random.Random, connection: psycopg.Connection[tuple[str, ...]]) -> Feature:
    """Draw a statement that works, and undo it; its `names` are what has to be named."""
    objects: list[tuple[str, ...]] = []
    for name in CATALOGUES:
        query = OF_OURS.format(**{"class": f"'{name}'", "table": name})
        objects += connection.execute(query.encode()).fetchall()
    kinds = sorted({kind for kind, _, _ in objects})
    while True:
        kind = chance.choice(kinds)
        _, identity, name = chance.choice([each for each in objects if each[0] == kind])
        form = chance.choice(ANY + 2 * MORE.get(kind, ()))
        statement = form.format(kind=WORDS.get(kind, kind), it=identity)
        if works(connection, statement):
            names = {name, identity.partition("(")[0], *re.findall(r"\w+_?\d?", identity)} - {
                "",
                "garden",
                "on",
                "AS",
                "integer",
            }
            needs = {"names": ["|".join(sorted({*names, *re.findall("drawn_|renamed_", form)}))]}
            return Feature(f"drawn: {statement}", f"{statement};", needs=needs)


def works(connection: psycopg.Connection[tuple[str, ...]], statement: str) -> bool:
    """Tell whether a statement works, without doing it where that can be undone."""
    connection.execute("set search_path = garden, public")
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(sql.SQL(statement))
    except psycopg.errors.ActiveSqlTransaction:
        return True
    except psycopg.Error:
        return False
    return True
