"""Positions in the WAL, and the names of its segments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.control.errors import OpsError
from tasks.postgres import lsn
from tasks.postgres.lsn import Segment, segment_at, segment_named


SIZES = st.sampled_from([1 << 20, 16 << 20, 64 << 20, 1 << 30])


@pytest.mark.parametrize(
    ("text", "position"),
    [("0/0", 0), ("0/3000028", 0x3000028), ("16/B374D848", 0x16_B374D848), ("1/0", 1 << 32)],
)
def test_an_lsn_is_a_position(text, position):
    """As PostgreSQL spells them."""
    assert lsn.parse(text) == position
    assert lsn.spell(position) == text


@given(st.integers(0, 2**64 - 1))
def test_spelling_loses_nothing(position):
    """Any position comes back."""
    assert lsn.parse(lsn.spell(position)) == position


def test_what_is_no_lsn_is_named():
    """The error says what one looks like."""
    with pytest.raises(OpsError, match="not an LSN; seen: 42; expected: such as 0/3000028"):
        lsn.parse("42")


@pytest.mark.parametrize(
    ("timeline", "position", "size", "name"),
    [
        (1, 0x1000000, 16 << 20, "000000010000000000000001"),
        (1, (1 << 32) - 1, 16 << 20, "0000000100000000000000FF"),
        (1, 1 << 32, 16 << 20, "000000010000000100000000"),
        (3, (1 << 32) - 1, 1 << 20, "000000030000000000000FFF"),
        (10, 1 << 33, 1 << 30, "0000000A0000000200000000"),
    ],
)
def test_a_segment_is_named_as_postgresql_does(timeline, position, size, name):
    """As `pg_walfile_name` does, for every size of segments."""
    segment = segment_at(timeline, position, size)
    assert segment.name == name
    assert segment_named(name, size) == segment


@given(st.integers(1, 2**32 - 1), st.integers(0, 2**60), SIZES)
def test_a_segment_holds_its_position_and_the_next_begins_where_it_ends(timeline, position, size):
    """There is no byte between two segments, and none in both."""
    segment = segment_at(timeline, position, size)
    assert segment.start <= position < segment.end
    assert segment.next().start == segment.end
    assert segment_named(segment.name, size) == segment
    assert segment.name < segment.next().name


@pytest.mark.parametrize(
    "name", ["00000001.history", "00000001000000000000000G", "0000000100000000000000010", ""]
)
def test_what_is_not_a_segment_is_none(name):
    """History files and strangers are left alone."""
    assert segment_named(name) is None


def test_segments_are_ordered_by_timeline_and_number():
    """The newest is the largest."""
    assert max(Segment(1, 9), Segment(2, 3), Segment(2, 4)) == Segment(2, 4)
