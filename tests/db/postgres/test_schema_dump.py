"""How a database is built: every change of it is seen and named, a change of contents is not."""

import pytest

from tasks.control.errors import OpsError
from tasks.postgres import schema_dump


@pytest.fixture
def built(server):
    """Build one object of most kinds."""
    with server.connect() as connection:
        connection.execute(
            "create type colour as enum ('red', 'green');"
            " create table fruit (id int primary key, name text default 'none', hue colour,"
            "   check (id > 0));"
            " create index by_name on fruit (name);"
            " create view named as select name from fruit;"
            " create sequence counter;"
            " create function one() returns int language sql as 'select 1';"
            " create function nothing() returns trigger language plpgsql as"
            "   'begin return new; end';"
            " create trigger watch before insert on fruit for each row execute function nothing();"
            " alter table fruit enable row level security;"
            " create policy mine on fruit using (id = 1)"
        )
    return server


@pytest.fixture
def described(home, built):
    """Return what describes the database and what all of them share."""

    def describe():
        found = schema_dump.of_database(home.programs, built)
        shared = schema_dump.of_cluster(home.programs, built)
        assert len({each.name for each in found}) == len(found)
        return {f"db: {each.name}": each.digest for each in found} | shared

    return describe


CHANGES = {
    "a column": ("alter table fruit add column weight int", ["db: table public.fruit"]),
    "a column's type": (
        "alter table fruit alter column hue type text",
        ["db: table public.fruit"],
    ),
    "a default": (
        "alter table fruit alter column name drop default",
        ["db: table public.fruit"],
    ),
    "a missing value": (
        "alter table fruit alter column name set not null",
        ["db: table public.fruit"],
    ),
    "an order of columns": (
        (
            "alter table fruit drop column name cascade; alter table fruit add name text"
            " default 'none'; create index by_name on fruit (name);"
            " create view named as select name from fruit"
        ),
        ["db: table public.fruit"],
    ),
    "how values are kept": (
        "alter table fruit alter column name set storage external",
        ["db: table public.fruit"],
    ),
    "a key": (
        "alter table fruit drop constraint fruit_pkey",
        ["db: constraint public.fruit fruit_pkey"],
    ),
    "a check": (
        "alter table fruit drop constraint fruit_id_check",
        ["db: table public.fruit"],
    ),
    "an index": ("drop index by_name", ["db: index public.by_name"]),
    "an index of another kind": (
        "drop index by_name; create index by_name on fruit using hash (name)",
        ["db: index public.by_name"],
    ),
    "a view": (
        "create or replace view named as select 'x' as name",
        ["db: view public.named"],
    ),
    "a sequence": ("alter sequence counter increment 7", ["db: sequence public.counter"]),
    "a function": (
        "create or replace function one() returns int language sql as 'select 2'",
        ["db: function public.one()"],
    ),
    "a function's owner's rights": (
        "alter function one() security definer",
        ["db: function public.one()"],
    ),
    "a trigger": (
        "alter table fruit disable trigger watch",
        ["db: trigger public.fruit watch"],
    ),
    "a policy": ("drop policy mine on fruit", ["db: policy public.fruit mine"]),
    "row security": (
        "alter table fruit disable row level security",
        ["db: row security public.fruit"],
    ),
    "forced row security": (
        "alter table fruit force row level security",
        ["db: table public.fruit"],
    ),
    "a type": ("alter type colour add value 'blue'", ["db: type public.colour"]),
    "a schema": ("create schema other", ["db: schema other"]),
    "a strange name": ('create schema "My.Schema"', ['db: schema "My.Schema"']),
    "an extension": (
        "create extension pg_trgm",
        ["db: comment extension pg_trgm", "db: extension pg_trgm"],
    ),
    "a grant": ("grant select on fruit to public", ["db: acl table public.fruit"]),
    "a grant on a column": (
        "grant select (id) on fruit to public",
        ["db: acl column public.fruit.id"],
    ),
    "a comment": ("comment on column fruit.id is 'x'", ["db: comment column public.fruit.id"]),
    "a table": ("create table more (n int)", ["db: table public.more"]),
    "an option": ("alter table fruit set (fillfactor = 50)", ["db: table public.fruit"]),
    "a publication": (
        "create publication everything for all tables",
        ["db: publication everything"],
    ),
    "default privileges": (
        "alter default privileges grant select on tables to public",
        ["db: default acl DEFAULT PRIVILEGES FOR TABLES"],
    ),
    "a foreign server": (
        "create extension postgres_fdw; create server far foreign data wrapper postgres_fdw",
        ["db: server far"],
    ),
    "a user mapping": (
        (
            "create extension postgres_fdw; create server far foreign data wrapper postgres_fdw;"
            " create user mapping for public server far"
        ),
        ["db: user mapping USER MAPPING public SERVER far"],
    ),
    "an event trigger": (
        (
            "create function seen() returns event_trigger language plpgsql as 'begin end';"
            " create event trigger watching on ddl_command_end execute function seen()"
        ),
        ["db: event trigger watching", "db: function public.seen()"],
    ),
    "statistics": (
        "create statistics pairs on id, name from fruit",
        ["db: statistics public.pairs"],
    ),
    "a domain": ("create domain price as int check (value > 0)", ["db: domain public.price"]),
    "an aggregate": (
        "create aggregate total (int) (sfunc = int4pl, stype = int)",
        ["db: aggregate public.total(integer)"],
    ),
    "an operator": (
        "create operator === (leftarg = int, rightarg = int, function = int4eq)",
        ["db: operator public.==="],
    ),
    "a cast": (
        (
            "create function c(colour) returns int language sql as 'select 1';"
            " create cast (colour as int) with function c(colour)"
        ),
        ["db: cast CAST (public.colour AS integer)", "db: function public.c(public.colour)"],
    ),
    "a search configuration": (
        "create text search configuration plain (copy = simple)",
        ["db: text search configuration public.plain"],
    ),
    "a rule": (
        "create rule quiet as on delete to fruit do instead nothing",
        ["db: rule public.fruit quiet"],
    ),
    "a replica identity": ("alter table fruit replica identity full", ["db: table public.fruit"]),
    "a cluster index": ("alter table fruit cluster on by_name", ["db: index public.by_name"]),
    "an owner": ("alter function one() owner to pg_monitor", ["db: function public.one()"]),
    "a table's owner": ("alter table fruit owner to pg_monitor", ["db: table public.fruit"]),
    "a role": ("create role structure_test", ["role structure_test"]),
    "a role's rights": ("alter role postgres connection limit 90", ["role postgres"]),
    "a password": ("alter role postgres password 'open-sesame'", ["role postgres"]),
    "a setting": ("alter role postgres set work_mem = '5MB'", ["setting postgres"]),
    "a membership": (
        "create role structure_test in role pg_monitor",
        ["membership structure_test in pg_monitor", "role structure_test"],
    ),
}

UNDO = (
    "drop role if exists structure_test",
    "alter role postgres connection limit -1",
    "alter role postgres reset work_mem",
    "alter role postgres password null",
)


@pytest.fixture
def undone(cluster_server):
    """Take back what all databases share."""
    yield
    with cluster_server.connect() as connection:
        for statement in UNDO:
            connection.execute(statement)


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_seen_and_named(built, undone, described, change):
    """Each object by its name, and nothing else."""
    before = described()
    statement, named = CHANGES[change]
    with built.connect() as connection:
        connection.execute(statement)
    after = described()
    differing = {name for name in before | after if before.get(name) != after.get(name)}
    assert set(named) <= differing
    if change not in BROAD:
        assert sorted(differing) == named


BROAD = ("a key", "a foreign server", "a user mapping", "an owner", "a table's owner")
"""Changes that touch what stands beside: an extension is made, grants are spelled anew."""


def test_contents_do_not_count(built, described):
    """Rows, statistics and the place of things may change."""
    before = described()
    with built.connect() as connection:
        connection.execute("insert into fruit (id) values (1), (2)")
        connection.execute("vacuum full analyze fruit")
        connection.execute("reindex table fruit")
        connection.execute("select nextval('counter')")
        connection.execute("select lo_create(4711); comment on large object 4711 is 'seen'")
    assert described() == before


def test_grants_that_were_taken_back_and_dropped_columns_do_not_count(built, described):
    """A copy that was loaded from a dump has neither."""
    with built.connect() as connection:
        connection.execute("grant select on fruit to pg_monitor")
        before = described()
        connection.execute("revoke select on fruit from pg_monitor")
        connection.execute("grant select on fruit to pg_monitor")
        connection.execute("alter table fruit add column gone int")
        connection.execute("alter table fruit drop column gone")
    assert described() == before


def test_settings_of_a_session_do_not_count(built, described):
    """What a database or a role is set to would change how definitions are spelled."""
    before = described()
    name = built.parameters()["dbname"]
    with built.connect() as connection:
        for setting in ("quote_all_identifiers = on", "default_transaction_read_only = on"):
            connection.execute(f"alter database {name} set {setting}")
    after = described()
    differing = {name for name in before | after if before.get(name) != after.get(name)}
    assert all(name.startswith("db: database properties ") for name in differing), differing


def test_every_database_is_described_with_its_locale(built, described):
    """F17: an index built under another one may be out of order."""
    assert f"db: database {built.parameters()['dbname']}" in described()


def test_no_password_is_told(built, undone, described):
    """Not even as a hash that others could try words on."""
    with built.connect() as connection:
        connection.execute("alter role postgres password 'open-sesame'")
        (verifier,) = connection.execute(
            "select rolpassword from pg_authid where rolname = 'postgres'"
        ).fetchone()
    shown = str(described())
    assert verifier not in shown
    assert verifier.rpartition("$")[2] not in shown


def test_only_some_tables_can_be_described(home, built):
    """By patterns that match one of them each; or all but those."""
    with built.connect() as connection:
        connection.execute('create table "fruit*" (n int); create table "Fruit" (n int)')

    def tables(**which):
        found = schema_dump.of_database(home.programs, built, **which)
        return [each.name for each in found if each.kind == "TABLE"]

    with built.connect() as connection:
        odd, none, quoted = (
            schema_dump.pattern(connection, "public", name)
            for name in ("fruit*", "none", 'Odd.* "name"')
        )
    assert quoted == '"public"."Odd.* ""name"""'
    assert tables(only=[odd]) == ['table public."fruit*"']
    assert tables(but=[odd]) == ['table public."Fruit"', "table public.fruit"]
    with pytest.raises(OpsError) as caught:
        tables(only=[none])
    assert schema_dump.finds_none(caught.value)
