"""The digest of a table: sees every change of its contents, and nothing else."""

import pytest

from tasks.postgres import table_digest
from tasks.postgres.table_digest import PERMANENT, UNLOGGED, Column


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


def digest(server, table="fruit", since=None, blocks=None, *, as_text=False):
    """Digest a table with the settings pinned."""
    with server.connect() as connection:
        connection.execute(table_digest.PINNED)
        found = table_digest.tables(connection, as_text=as_text)
        (one,) = [each for each in found if each.name == table]
        return table_digest.digest(connection, one, since, blocks)


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


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("name", ["t", table_digest.ROW, "ctid2", 'a"b', "%s"])
def test_a_column_that_is_called_like_a_row_hides_nothing(server, name, as_text):
    """Above all `t`, by which rows are so often called in queries."""
    named = name.replace('"', '""')
    run(
        server,
        f'create table odd ("{named}" text, part int, x int)',
        "insert into odd values ('a', 1, 1)",
    )
    before = digest(server, "odd", as_text=as_text)
    run(server, "update odd set part = 2")
    assert digest(server, "odd", as_text=as_text) != before


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
    """Views and temporary tables hold nothing that a backup must bring back."""
    run(
        server,
        "create table whole (n int) partition by range (n)",
        "create table part partition of whole for values from (0) to (10)",
        "create unlogged table passing (n int)",
        "create view seen as select 1",
        "create materialized view kept as select 1 as n",
        'create table "Odd ""name""" (n int)',
    )
    with server.connect() as connection:
        names = [table.full_name for table in table_digest.tables(connection)]
        more = [each.full_name for each in table_digest.tables(connection, (PERMANENT, UNLOGGED))]
    assert names == ['public."Odd ""name"""', "public.kept", "public.part"]
    assert sorted({*more} - {*names}) == ["public.passing"]
    assert digest(server, 'Odd "name"').rows == 0
    assert digest(server, "kept").rows == 1


ALIKE = {
    "trailing zeros": ("numeric", "1.0", "1.00"),
    "zeros with a sign": ("double precision", "'0'", "'-0'"),
    "a day": ("interval", "'1 day'", "'24 hours'"),
    "a list of numbers": ("numeric[]", "'{1.0}'", "'{1.00}'"),
    "a range": ("numrange", "'[1.0,2)'", "'[1.00,2)'"),
    "a JSON number": ("jsonb", "'1.0'", "'1.00'"),
    "zero days": ("interval", "'1 mon'", "'30 days'"),
}


@pytest.mark.parametrize("pair", ALIKE)
def test_values_that_count_as_equal_are_told_apart_all_the_same(server, pair):
    """Equality is weaker than identity for some types; a copy must hold the very value."""
    kind, first, second = ALIKE[pair]
    run(server, f"create table odd (v {kind})", f"insert into odd values ({first})")
    before = digest(server, "odd")
    run(server, f"update odd set v = {second}")
    assert digest(server, "odd").digest != before.digest


def test_text_under_a_collation_that_takes_letters_for_equal_is_told_apart(fifteen):
    """Its hash is that of what it is equal to. Debian's server knows such collations."""
    run(
        fifteen,
        "create collation blind (provider = icu, locale = 'und-u-ks-level2',"
        " deterministic = false)",
        "create table odd (v text collate blind, w text)",
        "insert into odd values ('a', 'a')",
    )
    before = digest(fifteen, "odd")
    run(fifteen, "update odd set v = 'A'")
    assert digest(fifteen, "odd").digest != before.digest


def test_domains_count_as_what_they_are_of(server):
    """Whether a value is told apart by its hash, and whether it is a time."""
    run(
        server,
        "create domain price as numeric; create domain prices as price",
        "create domain moment as timestamptz",
        "create table odd (v prices, at moment)",
        "insert into odd values (1.0, '2026-11-20 10:00+00')",
    )
    before = digest(server, "odd")
    assert before.newest == "2026-11-20 10:00:00+00"
    with server.connect() as connection:
        (table,) = table_digest.tables(connection)
    assert table.columns == (
        Column("v", is_hashed=False, is_timestamp=False),
        Column("at", is_hashed=True, is_timestamp=True),
    )
    run(server, "update odd set v = 1.00")
    assert digest(server, "odd").digest != before.digest


def test_as_text_the_order_of_columns_and_numbers_of_enumerated_values_do_not_count(server):
    """A copy that was loaded from a dump may have both otherwise."""
    run(
        server,
        "create type hue as enum ('red', 'green'); create type other as enum ('x', 'red')",
        "create table one (a int, b text, c hue); insert into one values (1, 'x', 'red')",
        "create table two (c other, b text, a int); insert into two values ('red', 'x', 1)",
    )
    assert digest(server, "one", as_text=True) == digest(server, "two", as_text=True)
    assert digest(server, "one") != digest(server, "two")


def test_portions_of_a_table_together_are_the_whole(server):
    """Blocks that were removed, and rows that came behind the end, among them."""
    run(
        server,
        "create table long as select n, now() + n * interval '1 d' as at, repeat('x', 500) as pad"
        " from generate_series(1, 500) n",
        "delete from long where n between 100 and 200",
    )
    whole = digest(server, "long")
    parts = [digest(server, "long", blocks=each) for each in ((0, 7), (7, 20), (20, None))]
    assert all(part.rows for part in parts)
    with server.connect() as connection:
        assert table_digest.added(connection, parts) == whole


def test_a_table_that_was_emptied_rewritten_or_replaced_is_not_as_it_was_listed(fruit):
    """An old snapshot would see it empty, or see another one."""
    run(fruit, "create index heaviest on fruit (weight)")
    for is_listed, statement in (
        (True, "insert into fruit values ('plum')"),
        (True, "vacuum analyze fruit"),
        (True, "reindex table fruit"),
        (False, "truncate fruit"),
        (False, "vacuum full fruit"),
        (False, "alter table fruit alter column weight type text"),
        (False, "alter table fruit rename to vegetables"),
        (False, "alter table vegetables rename to fruit; drop table fruit"),
    ):
        with fruit.connect() as connection:
            found = table_digest.tables(connection)
            (table,) = [each for each in found if each.name in ("fruit", "vegetables")]
        run(fruit, *statement.split("; "))
        with fruit.connect() as connection:
            assert table_digest.is_as_listed(connection, table) is is_listed, statement


def test_a_view_that_was_never_filled_has_a_digest(server):
    """It cannot be read."""
    run(server, "create materialized view empty as select 1 as n with no data")
    assert digest(server, "empty") == table_digest.NOT_POPULATED
    run(server, "refresh materialized view empty")
    assert digest(server, "empty").rows == 1


def test_what_belongs_to_an_extension_is_told(server):
    """A dump does not carry it, but for what the extension says."""
    run(
        server,
        "create table own (n int)",
        "create table theirs (n int)",
        "create extension pg_trgm",
    )
    run(server, "alter extension pg_trgm add table theirs")
    with server.connect() as connection:
        found = {each.name: each.extension for each in table_digest.tables(connection)}
    assert found == {"own": None, "theirs": "pg_trgm"}


def test_a_generated_column_that_fails_is_not_read(server):
    """Where it is not stored, its expression is run at each reading."""
    run(
        server,
        "create table odd (n int, v int generated always as (1 / n) virtual,"
        " s int generated always as (n + 1) stored)",
        "insert into odd values (0)",
    )
    assert digest(server, "odd").rows == 1


def large(server):
    """Digest the large objects."""
    with server.connect() as connection:
        return table_digest.large_objects(connection)


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
        "alter large object 4713 owner to pg_monitor",
        "grant select on large object 4713 to public",
        "comment on large object 4713 is 'seen'",
    ):
        run(server, change)
        assert large(server) != before
        before = large(server)
