"""What of a snapshot is wanted, as an operator says it."""

import pytest

from tasks.control.errors import Refused
from tasks.recovery.snapshots.selection import ALL, TableName, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hl7.app.a", TableName("hl7", "app", "a")),
        ('hl7."My.Schema".a b', TableName("hl7", "My.Schema", "a b")),
        ('"a""b"."c"."d.e"', TableName('a"b', "c", "d.e")),
    ],
)
def test_a_table_is_named_by_three_parts(text, expected):
    """Each may stand in quotes."""
    assert parse([], [text]).tables == (expected,)


@pytest.mark.parametrize("text", ["", "a", "app.a", "a.b.c.d", "a..b", 'a."b.c', "a.b."])
def test_what_names_no_table_is_refused(text):
    """And it is said how one is named."""
    with pytest.raises(Refused, match=r"DATABASE\.SCHEMA\.TABLE"):
        parse([], [text])


def test_what_is_wanted_is_known_by_database():
    """In the order of the dumps; of a database that is wanted whole, no table counts."""
    wanted = parse(["b"], ["a.s.t", "b.s.t"])
    assert wanted.among(["c", "b", "a"]) == ["b", "a"]
    assert wanted.tables_of("a") == [TableName("a", "s", "t")]
    assert wanted.tables_of("b") == []
    assert ALL.among(["c", "b"]) == ["c", "b"]
