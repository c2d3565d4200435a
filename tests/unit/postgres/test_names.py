"""Names in one spelling: what is joined comes apart again, and no two names are one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.postgres.names import joined, quoted, split


NAME = st.text(
    alphabet=st.one_of(st.sampled_from('ab."\\\nnrt\r\t $1_A'), st.characters(codec="utf-8")),
    min_size=1,
    max_size=12,
)

NAMES = st.lists(NAME, min_size=1, max_size=4).map(tuple)


@given(NAMES)
def test_what_is_joined_comes_apart_again(names):
    """Whatever stands in the names: dots, quotes, backslashes, line breaks."""
    assert split(joined(*names)) == names


@given(NAMES, NAMES)
def test_two_names_are_never_spelled_the_same(one, other):
    """So that a table is not taken for another one."""
    assert (joined(*one) == joined(*other)) is (one == other)


@given(NAMES)
def test_a_name_stays_on_its_line(names):
    """It stands in lists and messages."""
    assert not {"\n", "\r", "\t"} & {*joined(*names)}


@pytest.mark.parametrize(
    ("names", "spelled"),
    [
        (("hl7", "messages_2026_11"), "hl7.messages_2026_11"),
        (("public", 'Odd "name"'), 'public."Odd ""name"""'),
        (("a.b", "c"), '"a.b".c'),
        (("a", "b.c"), 'a."b.c"'),
        (("a\nb",), r'"a\nb"'),
        ((r"a\nb",), r'"a\\nb"'),
        (("1st",), '"1st"'),
        (("straße",), '"straße"'),
    ],
)
def test_a_name_is_quoted_where_it_needs_it(names, spelled):
    """As in SQL; control characters are escaped besides."""
    assert joined(*names) == spelled
    assert quoted(names[0]) == joined(names[0])
