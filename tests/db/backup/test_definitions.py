"""Definitions of a seal that are read portion by portion, where locks are scarce: the same ones."""

import pytest

from tasks.backup import definitions
from tasks.backup.definitions import IN_PORTIONS, NOT_TOLD, Reader
from tasks.postgres import capacity, schema_dump


BUILT = """
create table fruit (id serial primary key, name text default 'none' check (name <> ''), n int);
create table tree (id int generated always as identity, fruit int references fruit);
create table child (more text) inherits (fruit);
create table parts (id int, at date) partition by range (at);
create table part partition of parts for values from ('2026-01-01') to ('2027-01-01');
create view seen as select name, count(*) from fruit join tree on fruit.id = fruit group by name;
create materialized view kept as select * from seen;
create sequence alone owned by tree.fruit;
create index by_name on fruit (lower(name));
create table "a.b" ("c.d" int); create table "odd name*" (n int);
create table "Größe" ("ß" int default 7); create sequence "über";
comment on table "Größe" is 'ü';
create rule r as on delete to tree do instead nothing;
create function f() returns int language sql as 'select 1';
alter table fruit enable row level security; create policy p on fruit using (n > 0);
grant select on seen to pg_monitor;
create view grouped as select fruit.*, count(*) from fruit join tree on tree.fruit = fruit.id
  group by fruit.id;
create view of_grouped as select name from grouped;
"""

ENCODINGS = ("UTF8", "LATIN1", "SQL_ASCII")


@pytest.fixture(params=ENCODINGS)
def built(stanza, request):
    """Build objects of all kinds in a database of an encoding."""
    name = f"in_{request.param.lower()}"
    with stanza.server().connect() as connection:
        connection.execute(
            f"create database {name} template template0 encoding '{request.param}' locale 'C'"
        )
    server = stanza.server().database(name)
    with server.connect() as connection:
        text = BUILT
        if request.param == "SQL_ASCII":
            text = BUILT.encode().decode("latin-1")  # byte by byte
        connection.execute(text)
    yield server
    with stanza.server().connect() as connection:
        connection.execute(f"drop database {name}")


def read(stanza, server):
    """Read the definitions of one database that stands still."""
    name = server.parameters()["dbname"]
    looked = definitions.states(stanza.server(), [name])
    return Reader(stanza.server(), stanza.programs, looked, looked, {}).run(None)


def test_portions_together_are_the_whole(stanza, built, monkeypatch):
    """Relation by relation; nothing is named as not read, but kinds that are never told so."""
    whole = read(stanza, built)
    assert whole.omitted == []
    monkeypatch.setattr(capacity, "SHARE", 10**9)
    monkeypatch.setattr(capacity, "locks", lambda _connection: 0)
    parts = read(stanza, built)
    assert parts.digests == whole.digests
    assert parts.omitted == []


def test_a_kind_that_portions_do_not_tell_is_named_where_there_are_some(stanza, built, monkeypatch):
    """Which tables a publication has, and statistics, with all that is about them."""
    with built.connect() as connection:
        connection.execute(
            "create publication pub for table fruit (name); create statistics s on name, n"
            " from fruit; comment on statistics s is 'x'"
        )
    whole = read(stanza, built)
    monkeypatch.setattr(capacity, "locks", lambda _connection: 0)
    parts = read(stanza, built)
    lost = {name.partition(": ")[2] for name in whole.digests.keys() - parts.digests.keys()}
    assert lost == {
        "publication table public.pub child",  # since its parent is one
        "publication table public.pub fruit",
        "statistics public.s",
        "comment statistics public.s",
    }
    assert {each.reason for each in parts.omitted} == {IN_PORTIONS}
    named = {key for each in parts.omitted for key in each.keys}
    told = {each.name: each for each in schema_dump.of_database(stanza.programs, built)}
    assert all(told[name].keys & named for name in lost)


def test_a_table_that_a_dump_takes_apart_is_named(stanza, built, monkeypatch):
    """A function that it needs is about its rows, and is not dumped with it."""
    with built.connect() as connection:
        connection.execute(
            "create table looped (n int); create function is_good(looped) returns bool"
            " language sql as 'select true'; alter table looped add check (is_good(looped))"
        )
    whole = read(stanza, built)
    monkeypatch.setattr(capacity, "locks", lambda _connection: 0)
    parts = read(stanza, built)
    assert [each.subject.partition(": ")[2] for each in parts.omitted] == ["table public.looped"]
    different = {name for name in whole.digests if whole.digests[name] != parts.digests.get(name)}
    keys = {key for each in parts.omitted for key in each.keys}
    told = {each.name: each for each in schema_dump.of_database(stanza.programs, built)}
    assert different
    assert all(told[name.partition(": ")[2]].keys & keys for name in different)


def test_a_relation_of_which_no_dump_tells_is_named(stanza, built, monkeypatch):
    """Else the proof would find it in the copy, and not in the seal."""
    real = schema_dump.of_database

    def forgetful(tools, server, *, only=(), but=()):
        return [each for each in real(tools, server, only=only, but=but) if "tree" not in each.name]

    monkeypatch.setattr(capacity, "locks", lambda _connection: 0)
    monkeypatch.setattr(schema_dump, "of_database", forgetful)
    named = {each.subject.partition(": ")[2]: each.reason for each in read(stanza, built).omitted}
    assert named["public.tree"] == NOT_TOLD
