"""The digest of a table: sees every change of its contents, and nothing else."""

from dataclasses import replace

import pytest

from tasks.postgres import contents


@pytest.fixture
def fruit(server):
    """Make a table with some rows."""
    with server.connect() as connection:
        connection.execute(
            "create table fruit (name text, weight numeric, picked timestamptz, eaten timestamptz);"
            " insert into fruit values ('apple', 150, '2026-11-20 10:00+00', null),"
            " ('pear', 180, '2026-11-21 10:00+00', '2026-11-22 10:00+00'), (null, null, null, null)"
        )
    return server


def digest(server, table="fruit", since=None):
    """Digest a table with the settings pinned."""
    with server.connect() as connection:
        connection.execute(contents.PINNED)
        found = contents.with_hashes(connection, contents.tables(connection))
        (one,) = [each for each in found if each.name == table]
        return contents.digest(connection, one, since)


def run(server, *statements):
    """Run statements."""
    with server.connect() as connection:
        for statement in statements:
            connection.execute(statement)


def test_rows_are_counted_and_the_newest_time_is_found(fruit):
    """Of all columns that hold times."""
    found = digest(fruit)
    assert (found.rows, found.newest) == (3, "2026-11-22 10:00:00+00")


CHANGES = {
    "a value": "update fruit set weight = 151 where name = 'apple'",
    "a null": "update fruit set weight = null where name = 'apple'",
    "a null that is a text": "update fruit set name = '' where name is null",
    "a row less": "delete from fruit where name = 'pear'",
    "a row more": "insert into fruit values ('plum')",
    "a row twice, another gone": "update fruit set (name, weight, picked, eaten) = ('apple', 150,"
    " '2026-11-20 10:00+00', null) where name = 'pear'",
    "values that changed places": "update fruit set weight = 330 - weight where weight > 0",
    "columns that changed places": "update fruit set (picked, eaten) = (eaten, picked)",
    "a time by a microsecond": "update fruit set picked = picked + interval '1 microsecond'",
    "a letter's case": "update fruit set name = upper(name)",
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_contents_changes_the_digest(fruit, change):
    """Swapped values among them, which sums of columns would not see."""
    before = digest(fruit)
    run(fruit, CHANGES[change])
    after = digest(fruit)
    assert (after.rows, after.digest) != (before.rows, before.digest)


@pytest.mark.parametrize("is_hashable", [True, False])
def test_a_column_that_is_called_like_a_row_hides_nothing(server, is_hashable):
    """Above all `t`, by which rows are so often called in queries."""
    with server.connect() as connection:
        connection.execute(contents.PINNED)
        connection.execute("create table public.odd (t text, part int, x int)")
        connection.execute("insert into public.odd values ('a', 1, 1)")
        (table,) = contents.with_hashes(connection, contents.tables(connection))
        table = replace(table, is_hashable=table.is_hashable and is_hashable)
        before = contents.digest(connection, table)
        connection.execute("update public.odd set part = 2")
        assert contents.digest(connection, table) != before


def test_the_order_and_the_place_of_rows_do_not_count(fruit):
    """A table that was rewritten holds the same."""
    before = digest(fruit)
    run(fruit, "create index heaviest on fruit (weight desc)", "cluster fruit using heaviest")
    assert digest(fruit) == before


def test_settings_of_a_session_do_not_count(fruit):
    """What a database or a role is set to would change the text of values."""
    before = digest(fruit)
    name = fruit.parameters()["dbname"]
    run(
        fruit,
        f"alter database {name} set datestyle = 'German'",
        f"alter database {name} set extra_float_digits = -10",
        f"alter database {name} set bytea_output = 'escape'",
    )
    assert digest(fruit) == before


def test_an_empty_table_has_a_digest(fruit):
    """A table without rows or without columns is one, too."""
    run(fruit, "truncate fruit", "create table nothing ()", "insert into nothing default values")
    assert (digest(fruit).rows, digest(fruit).digest) == (0, "0")
    assert digest(fruit, "nothing").rows == 1


@pytest.mark.parametrize(
    ("column", "first", "second"),
    [
        ("json", """'{"a": 1}'""", """'{"a": 2}'"""),
        ("point", "'(1,2)'", "'(2,1)'"),
        ("money", "'$1.00'", "'$1.01'"),
        ("jsonb", """'{"a": 1}'""", """'{"a": 2}'"""),
        ("double precision", "0.1", "0.1000000000000001"),
        ("text[]", "'{a,null}'", "'{a,NULL,null}'"),
        ("tsvector", "'a b'", "'a c'"),
        ("bit varying", "B'01'", "B'010'"),
    ],
)
def test_columns_of_every_type_are_seen(server, column, first, second):
    """Also of types that have no hash, by their text."""
    run(server, f"create table odd (v {column})", f"insert into odd values ({first})")
    before = digest(server, "odd")
    run(server, f"update odd set v = {second}")
    assert digest(server, "odd").digest != before.digest


def test_only_rows_that_a_snapshot_saw_are_counted(fruit):
    """What came later is left out; what was changed later is gone from it."""
    with fruit.connect() as connection:
        (snapshot,) = connection.execute("select pg_current_snapshot()::text").fetchone()
    before = digest(fruit)
    run(fruit, "insert into fruit values ('plum', 30)")
    assert digest(fruit, since=snapshot) == before
    assert digest(fruit).rows == 4
    run(fruit, "update fruit set weight = 1 where name = 'apple'")
    assert digest(fruit, since=snapshot).rows == 2


def test_rows_of_a_frozen_table_are_seen_by_every_snapshot(fruit):
    """Freezing keeps the number of the transaction, or makes it one that all see."""
    run(fruit, "vacuum freeze fruit")
    with fruit.connect() as connection:
        (snapshot,) = connection.execute("select pg_current_snapshot()::text").fetchone()
    assert digest(fruit, since=snapshot).rows == 3


def test_permanent_tables_are_listed_partitions_one_by_one(server):
    """Views, temporary and unlogged tables hold nothing that a backup must bring back."""
    run(
        server,
        "create table whole (n int) partition by range (n)",
        "create table part partition of whole for values from (0) to (10)",
        "create unlogged table passing (n int)",
        "create view seen as select 1",
        'create table "Odd ""name""" (n int)',
    )
    with server.connect() as connection:
        names = [table.full_name for table in contents.tables(connection)]
    assert names == ['public.Odd "name"', "public.part"]
    assert digest(server, 'Odd "name"').rows == 0


def test_sequences_are_read_in_the_direction_in_which_they_run(server):
    """One that was never used has no value."""
    run(
        server,
        "create sequence up",
        "create sequence down increment -1",
        "create sequence unused",
        "select nextval('up'), nextval('up'), nextval('down')",
    )
    with server.connect() as connection:
        assert contents.sequences(connection) == {"public.down": 1, "public.up": 2}


def large(server):
    """Digest the large objects."""
    with server.connect() as connection:
        return contents.large_objects(connection)


def test_large_objects_are_seen_and_holes_in_them_are_zeros(server):
    """What a dump brings back is the same, though it writes what was never written."""
    assert large(server) is None
    run(server, "select lo_from_bytea(4711, 'one')", "select lo_put(lo_create(4712), 5000, 'x')")
    before = large(server)
    assert before.rows == 2
    run(server, "select lo_put(4712, 10, decode(repeat('00', 4000), 'hex'))")
    assert large(server) == before
    for change in (
        "select lo_put(4711, 0, 'two')",
        "select lo_put(4711, 0, 'one'); select lo_put(4711, 3, decode('00', 'hex'))",
        "select lo_create(4713)",
    ):
        run(server, change)
        assert large(server) != before
        before = large(server)


def test_databases_are_listed_without_templates(server):
    """And without those that nobody can enter."""
    with server.connect() as connection:
        names = contents.databases(connection)
    assert {"hl7", "postgres"} <= set(names)
    assert not {"template0", "template1"} & set(names)
