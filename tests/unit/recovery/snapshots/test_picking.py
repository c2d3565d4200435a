"""Which entries of a dump some tables need, and what is left out."""

import pytest
from tasks.recovery.copies.entries import Rows, parse

from tasks.control.errors import Refused
from tasks.recovery.snapshots.picking import pick
from tasks.recovery.snapshots.selection import TableName


LISTED = """\
;
; Selected TOC Entries:
;
90; 1262 16384 DATABASE - hl7 me
91; 0 0 DATABASE PROPERTIES - hl7 me
6; 2615 16385 SCHEMA - app me
7; 2615 16385 SCHEMA - other me
8; 0 0 ACL - SCHEMA app me
;	depends on: 6
20; 1255 1 FUNCTION app f() me
;	depends on: 6
30; 1259 2 TABLE app a me
;	depends on: 6
31; 1259 3 SEQUENCE app a_id_seq me
;	depends on: 6 30
32; 1259 4 SEQUENCE app free me
;	depends on: 6
33; 1259 5 TABLE app a b me
;	depends on: 6
34; 1259 6 VIEW app v me
;	depends on: 6 30
40; 0 0 SEQUENCE OWNED BY app a_id_seq me
;	depends on: 31
41; 2604 7 DEFAULT app a id me
;	depends on: 30 31
50; 0 2 TABLE DATA app a me
;	depends on: 30
51; 0 5 TABLE DATA app a b me
;	depends on: 33
60; 2606 8 CONSTRAINT app a b a b_pkey me
;	depends on: 33
61; 1259 9 INDEX app a_idx me
;	depends on: 30
62; 2620 10 TRIGGER app a t me
;	depends on: 30 20
63; 2606 11 FK CONSTRAINT app a a_b_fkey me
;	depends on: 30 60 33
"""


def picked(*names):
    """Pick tables of the schema `app`."""
    return pick(parse(LISTED), [TableName("hl7", "app", name) for name in names])


def numbers(*names):
    """Return the numbers of what is picked."""
    return [entry.number for entry in picked(*names).entries]


def test_a_table_brings_what_belongs_to_it_and_what_that_needs():
    """Not a sequence of nobody, not another schema, not a view."""
    assert numbers("a") == [90, 91, 6, 8, 20, 30, 31, 40, 41, 50, 61, 62]
    assert picked("a").left_out == ["VIEW app v", "FK CONSTRAINT app a a_b_fkey"]
    assert picked("a").indexes == 1


def test_a_foreign_key_comes_with_both_tables_only():
    """Its rows would be refused where those that it refers to are not there."""
    assert 63 in numbers("a", "a b")
    assert picked("a", "a b").left_out == ["VIEW app v"]


def test_the_list_is_in_the_order_of_the_dump():
    """As `pg_restore --use-list` needs it."""
    assert picked("a b").listed.splitlines() == [
        "90; 0 0 DATABASE - hl7 me",
        "91; 0 0 DATABASE PROPERTIES - hl7 me",
        "6; 0 0 SCHEMA - app me",
        "8; 0 0 ACL - SCHEMA app me",
        "33; 0 0 TABLE app a b me",
        "51; 0 0 TABLE DATA app a b me",
        "60; 0 0 CONSTRAINT app a b a b_pkey me",
    ]


@pytest.mark.parametrize(("table", "holds"), [("app.a b", True), ("app.c", False)])
def test_whose_rows_are_loaded_is_known_by_name(table, holds):
    """By schema and name with a dot between, as seals have it."""
    assert picked("a b").holds_rows_of(table) is holds


@pytest.mark.parametrize("name", ["v", "none", "a_idx"])
def test_what_is_no_table_is_refused(name):
    """Nothing else comes with its rows."""
    with pytest.raises(Refused, match="that is no table"):
        picked(name)


@pytest.mark.parametrize("owner", ["me", "Dr House"])
def test_rows_are_known_whoever_owns_them(owner):
    """Also where the names have spaces; a line break is a space in the list."""
    rows = Rows(parse(f"50; 0 2 TABLE DATA my app a b {owner}"))
    assert rows.are_of("my app.a b")
    assert rows.are_of("my app.a\nb")
    assert not rows.are_of("app.a b")


def test_a_foreign_key_of_another_table_is_not_left_out():
    """It never belonged to this one."""
    assert picked("a b").left_out == []


def test_a_name_that_another_one_begins_with_is_refused():
    """The list has owner and name side by side, so that one may be the other."""
    odd = LISTED.replace("TABLE app a me", "TABLE app a x me")
    with pytest.raises(Refused, match="2 entries"):
        pick(parse(odd), [TableName("hl7", "app", "a")])
