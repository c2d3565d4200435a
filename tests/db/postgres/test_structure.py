"""How a database is built: every change of it is seen and named, a change of contents is not."""

import pytest

from tasks.postgres import structure


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


def described(server):
    """Describe the database and what all of them share."""
    with server.connect() as connection:
        return structure.of_database(connection, "db") | structure.of_cluster(connection)


CHANGES = {
    "a column": ("alter table fruit add column weight int", "db: columns of public.fruit"),
    "a column's type": (
        "alter table fruit alter column hue type text",
        "db: columns of public.fruit",
    ),
    "a default": ("alter table fruit alter column name drop default", "db: columns of public.f"),
    "a missing value": (
        "alter table fruit alter column name set not null",
        "db: columns of public.fruit",
    ),
    "a key": ("alter table fruit drop constraint fruit_pkey", "constraint public.fruit.fruit_pkey"),
    "a check": (
        "alter table fruit drop constraint fruit_id_check",
        "constraint public.fruit.fruit_id_check",
    ),
    "an index": ("drop index by_name", "db: index public.by_name"),
    "an index of another kind": (
        "drop index by_name; create index by_name on fruit using hash (name)",
        "db: index public.by_name",
    ),
    "a view": ("create or replace view named as select 'x' as name", "db: view public.named"),
    "a sequence": ("alter sequence counter increment 7", "db: sequence public.counter"),
    "a function": (
        "create or replace function one() returns int language sql as 'select 2'",
        "db: function public.one()",
    ),
    "a function's owner's rights": (
        "alter function one() security definer",
        "db: function public.one()",
    ),
    "a trigger": ("alter table fruit disable trigger watch", "db: trigger public.fruit.watch"),
    "a policy": ("drop policy mine on fruit", "db: policy public.fruit.mine"),
    "row security": ("alter table fruit disable row level security", "relation public.fruit"),
    "a type": ("alter type colour add value 'blue'", "db: type public.colour"),
    "a schema": ("create schema other", "db: schema other"),
    "an extension": ("create extension pg_trgm", "db: extension pg_trgm"),
    "a grant": ("grant select on fruit to public", "db: relation public.fruit"),
    "a grant on a column": ("grant select (id) on fruit to public", "db: columns of public.fruit"),
    "a table": ("create table more (n int)", "db: relation public.more"),
    "an option": ("alter table fruit set (fillfactor = 50)", "db: relation public.fruit"),
    "a publication": ("create publication everything for all tables", "publication everything"),
    "default privileges": (
        "alter default privileges grant select on tables to public",
        "db: default privileges postgres r",
    ),
    "a foreign server": (
        "create extension postgres_fdw; create server far foreign data wrapper postgres_fdw",
        "db: foreign server far",
    ),
    "a user mapping": (
        (
            "create extension postgres_fdw; create server far foreign data wrapper postgres_fdw;"
            " create user mapping for public server far"
        ),
        "db: user mapping far for public",
    ),
    "an event trigger": (
        (
            "create function seen() returns event_trigger language plpgsql as 'begin end';"
            " create event trigger watching on ddl_command_end execute function seen()"
        ),
        "db: event trigger watching",
    ),
    "statistics": (
        "create statistics pairs on id, name from fruit",
        "db: statistics public.pairs",
    ),
    "an owner": ("alter function one() owner to pg_monitor", "db: function public.one()"),
    "a role": ("create role structure_test", "role structure_test"),
    "a role's rights": ("alter role postgres connection limit 90", "role postgres"),
    "a setting": ("alter role postgres set work_mem = '5MB'", "setting */postgres"),
}

UNDO = (
    "drop role if exists structure_test",
    "alter role postgres connection limit -1",
    "alter role postgres reset work_mem",
)


@pytest.fixture
def undone(cluster_server):
    """Take back what all databases share."""
    yield
    with cluster_server.connect() as connection:
        for statement in UNDO:
            connection.execute(statement)


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_seen_and_named(built, undone, change):
    """Each kind of object stands by its name."""
    before = described(built)
    statement, named = CHANGES[change]
    with built.connect() as connection:
        connection.execute(statement)
    after = described(built)
    differing = [name for name in before | after if before.get(name) != after.get(name)]
    assert any(named in name for name in differing), differing


def test_contents_do_not_count(built):
    """Rows, statistics and the place of things may change."""
    before = described(built)
    with built.connect() as connection:
        connection.execute("insert into fruit (id) values (1), (2)")
        connection.execute("vacuum full analyze fruit")
        connection.execute("reindex table fruit")
        connection.execute("select nextval('counter')")
    assert described(built) == before


def test_the_order_of_grants_and_dropped_columns_do_not_count(built):
    """A copy that was loaded from a dump has neither."""
    with built.connect() as connection:
        connection.execute("grant select on fruit to pg_monitor")
        connection.execute("grant insert on fruit to public")
        before = described(built)
        connection.execute("revoke select on fruit from pg_monitor")
        connection.execute("grant select on fruit to pg_monitor")
        connection.execute("alter table fruit add column gone int")
        connection.execute("alter table fruit drop column gone")
    assert described(built) == before


def test_every_database_is_described_with_its_collation(built):
    """F17: an index built under another version of the library may be out of order."""
    assert "database hl7" in described(built)
