"""Backups while somebody holds a table for himself: taken, and the table is named."""

from contextlib import contextmanager

from flows.verbs.backup import not_sealed
from tasks.backup import take
from tasks.recovery.proving.verify import verify


@contextmanager
def held(stanza, table):
    """Hold a table in a session that does nothing more."""
    with stanza.server().connect(autocommit=False) as holder:
        holder.execute(f"lock table {table} in access exclusive mode")
        yield


def make(stanza):
    """Make a table that is held, one that is not, and a view of the first."""
    with stanza.server().connect() as connection:
        connection.execute("drop table if exists one, two cascade")
        connection.execute("create table one as select 1 as n")
        connection.execute("create table two as select 2 as n")
        connection.execute("create sequence if not exists three")


def not_compared(proof):
    """Return what a proof names as not compared."""
    return " ".join(each.seen for each in proof.checks if each.outcome == "partial")


def test_a_table_that_somebody_holds_is_named_and_no_other(stanza):
    """The reading gives up after a while; the other tables are sealed."""
    make(stanza)

    with held(stanza, "one"):
        backup = take.take(stanza, "full")

    told = not_sealed(stanza, backup)
    assert "hl7.public.one (somebody held it locked)" in told
    assert all("two" not in each for each in told)
    proof = verify(stanza, backup.id)
    assert proof.verdict == "partial"
    assert "hl7.public.one (somebody held it locked)" in not_compared(proof)
    assert "two" not in not_compared(proof)


def test_what_refers_to_a_table_that_somebody_holds_is_no_difference(stanza):
    """What is read without that table, does not tell what it needs of it."""
    make(stanza)
    with stanza.server().connect() as connection:
        connection.execute(
            "alter table one add primary key (n); create table refers (n int references one);"
            " create function of_one(one) returns int language sql as 'select 1';"
            " grant select on refers to pg_monitor"
        )

    with held(stanza, "one"):
        backup = take.take(stanza, "full")

    proof = verify(stanza, backup.id)
    with stanza.server().connect() as connection:
        connection.execute("drop table refers; drop function of_one")
    assert proof.failed == []
    assert "public.one" in not_compared(proof)


def test_a_view_of_a_table_that_somebody_holds_does_not_hang_the_seal(stanza):
    """`pg_dump` waits without a limit for what a view reads."""
    make(stanza)
    with stanza.server().connect() as connection:
        connection.execute("create view seen as select n from one")

    with held(stanza, "one"):
        backup = take.take(stanza, "full")

    assert "public.seen" in not_compared(verify(stanza, backup.id))


def test_a_snapshot_goes_without_a_table_that_somebody_holds(stanza):
    """All other tables are in it, and it says which is not."""
    make(stanza)

    with held(stanza, "one"):
        backup = take.take(stanza, "snapshot")

    proof = verify(stanza, backup.id)
    assert proof.verdict == "partial"
    assert "hl7.public.one (somebody held it locked, or what it reads" in not_compared(proof)
    tables = {table.table for table in stanza.catalogue.fingerprint(backup).tables}
    assert "public.two" in tables
    assert "public.one" not in tables


def test_a_snapshot_goes_without_the_views_of_a_table_that_somebody_holds(stanza):
    """However many lie between; what does not read it is dumped."""
    make(stanza)
    with stanza.server().connect() as connection:
        connection.execute(
            "create view seen as select n from one; create view again as select n from seen;"
            " create materialized view kept as select n from again;"
            " create view other as select n from two"
        )

    with held(stanza, "one"):
        backup = take.take(stanza, "snapshot")

    said = not_compared(verify(stanza, backup.id))
    for name in ("one", "seen", "again", "kept"):
        assert f"hl7.public.{name} (somebody held it locked, or what it reads" in said
    assert "other" not in said
