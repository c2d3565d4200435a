"""Timeline histories: read strictly, and asked which timeline holds a position."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.control.errors import Corrupt
from tasks.postgres.lsn import Segment
from tasks.repository.history import History, Switch, file_name, parse


SIZE = 1 << 24

REAL = b'1\t0/5000148\tno recovery target specified\n\n2\t0/9000000\tat restore point "x"\n'


def test_a_history_of_postgresql_is_read():
    """Its empty lines and comments are passed over."""
    assert parse(3, b"# by hand\n" + REAL) == History(
        3,
        (
            Switch(1, 0x5000148, "no recovery target specified"),
            Switch(2, 0x9000000, 'at restore point "x"'),
        ),
    )
    assert parse(3, REAL).ancestors == (1, 2)
    assert parse(3, REAL).parent.position == 0x9000000
    assert History(1).parent is None


def test_it_is_named_as_postgresql_names_it():
    """Eight hexadecimal digits."""
    assert file_name(26) == "0000001A.history"


@pytest.mark.parametrize(
    ("position", "timeline"),
    [(0, 1), (0x5000147, 1), (0x5000148, 2), (0x8FFFFFF, 2), (0x9000000, 3), (1 << 40, 3)],
)
def test_a_position_is_held_by_the_timeline_that_had_not_been_left(position, timeline):
    """The one that is left at a position holds what lies before it."""
    assert parse(3, REAL).holds(position) == timeline


def test_where_a_timeline_was_left_is_told():
    """Nothing of the last one, and of one that does not lead there."""
    history = parse(3, REAL)
    assert [history.left(number) for number in (1, 2, 3, 7)] == [0x5000148, 0x9000000, None, None]


@pytest.mark.parametrize(
    ("number", "timeline"), [(4, 1), (5, 2), (8, 2), (9, 3)], ids=["1", "2", "2 last", "3"]
)
def test_the_segment_of_a_switch_is_the_new_timelines(number, timeline):
    """It begins with a copy of the old one's part; at a boundary the old one keeps its last."""
    assert parse(3, REAL).segment(number, SIZE) == Segment(timeline, number, SIZE)


def test_two_switches_in_one_segment_leave_nothing_to_the_timeline_between():
    """Its WAL lies in the last one's segment."""
    history = parse(3, b"1\t0/5000148\ta\n2\t0/5000200\tb\n")
    assert [history.segment(number, SIZE).timeline for number in (4, 5, 6)] == [1, 3, 3]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"# nothing\n",
        b"one\t0/5000148\tx\n",
        b"1\t5000148\tx\n",
        b"1\t0/500014800000\tx\n",
        b"0\t0/5000148\tx\n",
        b"3\t0/5000148\tx\n",
        b"4\t0/5000148\tx\n",
        b"2\t0/5000148\tx\n1\t0/6000148\ty\n",
        b"1\t0/5000148\tx\n1\t0/6000148\ty\n",
        b"1\t0/6000148\tx\n2\t0/5000148\ty\n",
        b"1\t0/5000148\tx\n2\n",
        b"\xff\xfe\x00",
    ],
)
def test_nonsense_is_no_history(data):
    """It is named; PostgreSQL itself would not recover along it."""
    with pytest.raises(Corrupt, match=r"no history of a timeline; seen: 00000003\.history"):
        parse(3, data)


@given(st.binary(max_size=200), st.integers(2, 9))
def test_whatever_is_offered_is_read_or_refused(data, timeline):
    """Nothing else is raised."""
    try:
        found = parse(timeline, data)
    except Corrupt:
        return
    assert found.timeline == timeline


@given(
    st.lists(st.integers(0, 1 << 30), min_size=1, max_size=5).map(sorted), st.integers(0, 1 << 31)
)
def test_every_position_has_one_timeline_and_they_rise(ends, position):
    """Later positions lie on later timelines."""
    history = History(len(ends) + 1, tuple(Switch(n + 1, end) for n, end in enumerate(ends)))
    assert 1 <= history.holds(position) <= history.timeline
    assert history.holds(position) <= history.holds(position + 1)
