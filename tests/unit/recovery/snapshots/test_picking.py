"""Which entries of a dump some tables need, and what is left out."""

import pytest

from tasks.control.errors import Refused
from tasks.postgres.dump_toc import Entry
from tasks.recovery.snapshots.picking import pick, spelled
from tasks.recovery.snapshots.selection import TableName


def entry(number, kind, schema, tag, *needs):
    """Return an entry of a dump."""
    return Entry(number, 0, 0, kind, schema, tag, "me", "", "", "", frozenset(needs))


DUMPED = [
    entry(90, "DATABASE", "", "hl7"),
    entry(91, "DATABASE PROPERTIES", "", "hl7"),
    entry(6, "SCHEMA", "", "app"),
    entry(7, "SCHEMA", "", "other"),
    entry(8, "ACL", "", "SCHEMA app", 6),
    entry(20, "FUNCTION", "app", "f()", 6),
    entry(30, "TABLE", "app", "a", 6),
    entry(31, "SEQUENCE", "app", "a_id_seq", 6, 30),
    entry(32, "SEQUENCE", "app", "free", 6),
    entry(33, "TABLE", "app", "a b", 6),
    entry(34, "VIEW", "app", "v", 6, 30),
    entry(35, "TABLE", "app", 'Odd.\n"name"', 6),
    entry(40, "SEQUENCE OWNED BY", "app", "a_id_seq", 31),
    entry(41, "DEFAULT", "app", "a id", 30, 31),
    entry(50, "TABLE DATA", "app", "a", 30),
    entry(51, "TABLE DATA", "app", "a b", 33),
    entry(52, "TABLE DATA", "app", 'Odd.\n"name"', 35),
    entry(60, "CONSTRAINT", "app", "a b a b_pkey", 33),
    entry(61, "INDEX", "app", "a_idx", 30),
    entry(62, "TRIGGER", "app", "a t", 30, 20),
    entry(63, "FK CONSTRAINT", "app", "a a_b_fkey", 30, 60, 33),
]


def picked(*names):
    """Pick tables of the schema `app`."""
    return pick(DUMPED, [TableName("hl7", "app", name) for name in names])


def numbers(*names):
    """Return the numbers of what is picked."""
    return [entry.number for entry in picked(*names).entries]


def test_a_table_brings_what_belongs_to_it_and_what_that_needs():
    """Not a sequence of nobody, not another schema, not a view."""
    assert numbers("a") == [90, 91, 6, 8, 20, 30, 31, 40, 41, 50, 61, 62]
    assert picked("a").left_out == ["VIEW app v", "FK CONSTRAINT app a a_b_fkey"]


def test_a_foreign_key_comes_with_both_tables_only():
    """Its rows would be refused where those that it refers to are not there."""
    assert 63 in numbers("a", "a b")
    assert picked("a", "a b").left_out == ["VIEW app v"]


def test_the_list_is_in_the_order_of_the_dump():
    """As `pg_restore --use-list` needs it; no name stands there, which could break a line."""
    assert picked("a b").listed.splitlines() == [
        "90; 0 0 DATABASE",
        "91; 0 0 DATABASE PROPERTIES",
        "6; 0 0 SCHEMA",
        "8; 0 0 ACL",
        "33; 0 0 TABLE",
        "51; 0 0 TABLE DATA",
        "60; 0 0 CONSTRAINT",
    ]
    assert len(picked('Odd.\n"name"').listed.splitlines()) == 6


@pytest.mark.parametrize(
    ("table", "holds"), [('app."a b"', True), ("app.a", False), ("app.c", False), ("app", False)]
)
def test_whose_rows_are_loaded_is_known_by_name(table, holds):
    """By schema and name as seals have it, quoted where they need it."""
    assert picked("a b").holds_rows_of(table) is holds


def test_a_name_may_hold_what_separates_names():
    """A dot, a quote, a line break."""
    odd = TableName("hl7", "app", 'Odd.\n"name"')
    assert odd.full == 'app."Odd.\\n""name"""'
    assert pick(DUMPED, [odd]).holds_rows_of(odd.full)


@pytest.mark.parametrize("name", ["v", "none", "a_idx", "A"])
def test_what_is_no_table_is_refused(name):
    """Nothing else comes with its rows."""
    with pytest.raises(Refused, match=f"no such table in the dump; seen: .*{name}"):
        picked(name)


def test_an_entry_is_spelled_by_kind_and_name():
    """Of what belongs to no schema there is none."""
    assert [spelled(each) for each in DUMPED[:1] + DUMPED[-1:]] == [
        "DATABASE hl7",
        "FK CONSTRAINT app a a_b_fkey",
    ]


@pytest.mark.parametrize("name", ["log", "log_old"])
def test_a_partitioned_table_brings_its_partitions(name):
    """And those of these."""
    dumped = [
        entry(1, "TABLE", "app", "log"),
        entry(2, "TABLE", "app", "log_old"),
        entry(3, "TABLE", "app", "log_older"),
        entry(4, "TABLE ATTACH", "app", "log_old", 1, 2),
        entry(5, "TABLE ATTACH", "app", "log_older", 2, 3),
        entry(6, "TABLE DATA", "app", "log_old", 2),
        entry(7, "TABLE DATA", "app", "log_older", 3),
    ]
    assert pick(dumped, [TableName("hl7", "app", name)]).holds_rows_of("app.log_older")


def test_a_foreign_key_of_another_table_is_not_left_out():
    """It never belonged to this one."""
    assert picked("a b").left_out == []


def test_a_table_is_told_from_one_whose_name_begins_with_its_own():
    """Names are read whole, whatever stands in them."""
    assert [each.tag for each in picked("a").entries if each.kind == "TABLE"] == ["a"]
    assert [each.tag for each in picked("a b").entries if each.kind == "TABLE"] == ["a b"]
