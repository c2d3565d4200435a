"""What changed between two looks at the catalogs: every change of an object, and no other."""

import pytest

from tasks.postgres.catalog_state import CLUSTER, DATABASE, Settled, changed, key_of, objects, state


@pytest.fixture
def built(server):
    """Build some objects."""
    with server.connect() as connection:
        connection.execute(
            "create type colour as enum ('red', 'green');"
            " create table fruit (id int primary key, name text default 'none', hue colour,"
            "   check (id > 0));"
            " create index by_name on fruit (name);"
            " create view named as select name from fruit;"
            " create materialized view kept as select name from fruit;"
            " create sequence counter;"
            " create function one() returns int language sql as 'select 1';"
            " create function nothing() returns trigger language plpgsql as"
            "   'begin return new; end';"
            " create domain price as int check (value > 0);"
            " create text search configuration plain (copy = simple);"
            " insert into fruit (id, name, hue) select n, repeat('n', n), 'red'"
            " from generate_series(1, 1000) n"
        )
    return server


def looked(server, catalogs=DATABASE):
    """Look at the catalogs."""
    with server.connect() as connection:
        return state(connection, catalogs)


def names(server, keys):
    """Return what objects are called."""
    with server.connect() as connection:
        rows = connection.execute(
            "select (pg_identify_object(c::oid, o::oid, 0)).identity"
            " from unnest(%s::bigint[], %s::bigint[]) x (c, o)",
            [[key[0] for key in keys], [key[1] for key in keys]],
        )
        return {name for (name,) in rows}


def _row(server, query):
    """Return the only row of a query."""
    with server.connect() as connection:
        return connection.execute(query).fetchone()


STILL = {
    "vacuum": ["delete from fruit where id > 500", "vacuum fruit"],
    "analyze": ["analyze fruit"],
    "a vacuum that freezes": ["vacuum (freeze, analyze) fruit"],
    "a truncate": ["truncate fruit"],
    "a rewrite": ["vacuum full fruit"],
    "a reindex": ["reindex table fruit"],
    "a refresh": ["refresh materialized view kept"],
    "rows": ["insert into fruit (id) values (4711)", "update fruit set name = 'x'"],
    "a sequence": ["select nextval('counter'), setval('counter', 100)"],
    "a temporary table": ["create temporary table mine (n serial primary key, name text)"],
    "a large object": ["select lo_create(4711)"],
}


@pytest.mark.parametrize("what", STILL)
def test_what_changes_no_definition_is_no_change_of_an_object(built, what):
    """Nothing is left uncompared for it."""
    before = looked(built)
    with built.connect() as connection:
        for statement in STILL[what]:
            connection.execute(statement)
        keys = changed(before, looked(built))
        told = names(built, keys)
    assert not keys, told


CHANGES = {
    "a column": ("alter table fruit add column more int", "public.fruit"),
    "a default": ("alter table fruit alter column name set default 'x'", "public.fruit"),
    "a constraint": ("alter table fruit drop constraint fruit_id_check", "public.fruit"),
    "an option": ("alter table fruit set (fillfactor = 50)", "public.fruit"),
    "a name": ("alter table fruit rename to vegetables", "public.vegetables"),
    "a comment": ("comment on column fruit.id is 'x'", "public.fruit"),
    "a comment on an index": ("comment on index by_name is 'x'", "public.by_name"),
    "a grant": ("grant select on fruit to public", "public.fruit"),
    "a grant on a column": ("grant select (id) on fruit to public", "public.fruit"),
    "an owner": ("alter function one() owner to pg_monitor", "public.one()"),
    "an index": ("create index more on fruit (hue)", "public.more"),
    "a view": ("create or replace view named as select 'x' as name", "public.named"),
    "a function": (
        "create or replace function one() returns int language sql as 'select 2'",
        "public.one()",
    ),
    "a trigger": (
        "create trigger t before insert on fruit for each row execute function nothing()",
        "public.fruit",
    ),
    "a rule": ("create rule r as on delete to fruit do instead nothing", "public.fruit"),
    "a policy": ("create policy mine on fruit using (true)", "public.fruit"),
    "a value of a type": ("alter type colour add value 'blue'", "public.colour"),
    "a name of a value": ("alter type colour rename value 'red' to 'rot'", "public.colour"),
    "a constraint of a domain": ("alter domain price drop constraint price_check", "public.price"),
    "a sequence": ("alter sequence counter increment 7", "public.counter"),
    "statistics": ("create statistics pairs on id, name from fruit", "public.fruit"),
    "a publication": ("create publication p for table fruit", "p"),
    "a schema": ("create schema other", "other"),
    "a search configuration": (
        "alter text search configuration plain alter mapping for word with english_stem",
        "public.plain",
    ),
    "the index that it is clustered by": ("cluster fruit using by_name", "public.fruit"),
    "an inheritance": ("create table child () inherits (fruit)", "public.child"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_and_named(built, change):
    """By the object that it is of."""
    statement, name = CHANGES[change]
    before = looked(built)
    with built.connect() as connection:
        connection.execute(statement)
    keys = changed(before, looked(built))
    assert name in names(built, keys)


def test_a_change_of_what_postgres_brings_in_is_seen_by_its_catalog(built):
    """Its objects count as one a catalog, and a dump's entries of them have the same key."""
    (oid,) = _row(built, "select 'pg_read_file(text)'::regprocedure::oid::bigint")
    (catalog,) = _row(built, "select 'pg_proc'::regclass::oid::bigint")
    before = looked(built)
    with built.connect() as connection:
        connection.execute("grant execute on function pg_read_file(text) to pg_monitor")
    assert key_of(catalog, oid) in changed(before, looked(built))
    assert key_of(catalog, oid) == key_of(catalog, 1) == (catalog, 0)


@pytest.mark.parametrize(
    "what", ["index by_name", "view named", "function one()", "sequence counter"]
)
def test_what_is_dropped_is_seen(built, what):
    """It has no name any more."""
    before = looked(built)
    with built.connect() as connection:
        connection.execute(f"drop {what}")
    after = looked(built)
    assert changed(before, after)
    assert before.keys() - after.keys()


def test_what_no_look_saw_does_not_hold(built):
    """It came and went between two looks; what it says is not that of the restore point."""
    at = looked(built)
    with built.connect() as connection:
        known = objects(connection)
    (table,) = _row(built, "select 'fruit'::regclass::oid::bigint")
    held = Settled(at, at, at, known)
    assert held.holds([(1259, table)])
    assert not held.holds([(1259, table), (1259, 4_000_000_000)])
    assert held.holds([(2604, 4_000_000_000)])  # a default is part of its table


def test_what_came_later_matters_where_the_snapshot_is_older_than_the_restore_point(built):
    """It may have come before that."""
    at = looked(built)
    with built.connect() as connection:
        connection.execute("create table came (n int)")
        known = objects(connection)
    after = looked(built)
    (table,) = _row(built, "select 'came'::regclass::oid::bigint")
    exact, older = (Settled(at, at, after, known, is_exact) for is_exact in (True, False))
    assert (1259, table) in exact.later
    assert (1259, table) not in exact.unsettled
    assert (1259, table) in older.unsettled
    assert not exact.holds([(1259, table)])
    assert not older.holds([(1259, table)])


def test_what_is_dropped_and_made_anew_is_another_one(built):
    """Though it has the same name and says the same."""
    before = looked(built)
    with built.connect() as connection:
        connection.execute("drop index by_name; create index by_name on fruit (name)")
    assert names(built, changed(before, looked(built))) >= {"public.by_name"}


def test_a_look_is_one_of_its_snapshot(built):
    """What comes later is not in it."""
    with built.connect(autocommit=False) as connection:
        connection.execute("set transaction isolation level repeatable read")
        before = state(connection, DATABASE)
        with built.connect() as other:
            other.execute("alter table fruit add column more int")
        assert changed(before, state(connection, DATABASE)) == set()
    assert changed(before, looked(built))


SHARED = {
    "a role": ("create role catalog_test", "drop role catalog_test"),
    "a right": (
        "alter role postgres connection limit 90",
        "alter role postgres connection limit -1",
    ),
    "a setting": ("alter role postgres set work_mem = '5MB'", "alter role postgres reset work_mem"),
    "a membership": ("grant pg_monitor to postgres", "revoke pg_monitor from postgres"),
    "a comment": ("comment on role postgres is 'x'", "comment on role postgres is null"),
    "a parameter": (
        "grant set on parameter log_min_messages to pg_monitor",
        "revoke set on parameter log_min_messages from pg_monitor",
    ),
}


@pytest.mark.parametrize("change", SHARED)
def test_a_change_of_what_all_databases_share_is_seen(server, change):
    """Roles, rights, settings; each by its object."""
    statement, undo = SHARED[change]
    before = looked(server, CLUSTER)
    with server.connect() as connection:
        connection.execute(statement)
        try:
            after = looked(server, CLUSTER)
        finally:
            connection.execute(undo)
    assert changed(before, after)


def test_nothing_has_changed_between_two_looks(server):
    """Of any catalog; checkpoints and vacuums among them."""
    before = looked(server, CLUSTER)
    with server.connect() as connection:
        connection.execute("checkpoint")
        connection.execute("vacuum (freeze) pg_database")
        connection.execute("vacuum (freeze) pg_authid")
    assert changed(before, looked(server, CLUSTER)) == set()


def test_an_older_server_has_fewer_catalogs(fifteen):
    """What it does not have is left out."""
    before = looked(fifteen)
    with fifteen.connect() as connection:
        connection.execute("create table fruit (n int)")
    assert "public.fruit" in names(fifteen, changed(before, looked(fifteen)))
