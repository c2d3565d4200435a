"""Which segments a pull archives, and what it refuses: decided without a server."""

import pytest

from tasks.backup import route
from tasks.backup.route import Source
from tasks.control.errors import Refused
from tasks.postgres.lsn import Segment
from tasks.repository.history import History, Switch


SIZE = 1 << 24

ONE = History(1)

TWO = History(2, (Switch(1, 5 * SIZE + 0x148),))


def segments(timeline, *numbers):
    """Return segments of a timeline."""
    return [Segment(timeline, number, SIZE) for number in numbers]


def names(*found):
    """Return the names of segments."""
    return frozenset(each.name for part in found for each in part)


def source(history, end, reserved, *present, is_new=False):
    """Return a server that writes a segment and keeps those from another one on."""
    written = Segment(history.timeline, end, SIZE)
    return Source(history, written, names(*present), reserved, is_new=is_new)


def test_an_empty_archive_begins_where_the_slot_stands():
    """On the timeline that held it then."""
    found = route.way("main", [], source(TWO, 7, 4), restart=False)
    assert found == [*segments(1, 4), *segments(2, 5, 6)]


def test_it_goes_on_after_the_last_archived_segment():
    """The slot stands there."""
    found = route.way("main", segments(1, 2, 3), source(ONE, 6, 4), restart=False)
    assert found == segments(1, 4, 5)
    assert route.way("main", segments(1, 2, 3), source(ONE, 4, 4), restart=False) == []


def test_what_a_crash_archived_before_the_slot_moved_is_fetched_again():
    """It must be the same."""
    found = route.way("main", segments(1, 2, 3, 4), source(ONE, 6, 3), restart=False)
    assert found == segments(1, 3, 4, 5)


def test_a_promotion_is_followed_from_the_old_timeline_to_the_new_one():
    """With a slot that was made only now, the last archived segment is compared, too."""
    there = [segments(1, 2, 3, 4), segments(2, 5, 6)]
    promoted = source(TWO, 7, 7, *there, is_new=True)
    found = route.way("main", segments(1, 2, 3), promoted, restart=False)
    assert found == [*segments(1, 3, 4), *segments(2, 5, 6)]
    promoted = source(TWO, 7, 7, segments(1, 4), segments(2, 5, 6), is_new=True)
    found = route.way("main", segments(1, 2, 3), promoted, restart=False)
    assert found == [*segments(1, 4), *segments(2, 5, 6)]


def test_a_fork_goes_on_at_the_switch():
    """What the archive has of the old timeline beyond it is not on the way."""
    kept = segments(1, 2, 3, 4, 5, 6, 7)
    found = route.way("main", kept, source(TWO, 8, 5), restart=False)
    assert found == segments(2, 5, 6, 7)
    assert route.forked_at(kept, TWO) == (1, TWO.parent.position)
    assert "timeline 1 was left at 0/5000148" in route.told(route.forked_at(kept, TWO))
    assert route.forked_at(segments(1, 4), TWO) is None
    assert route.forked_at(segments(2, 9), TWO) is None
    assert route.forked_at([], ONE) is None


def test_a_gap_is_named_and_a_full_backup_begins_anew():
    """From what is missing to what the server has."""
    late = source(TWO, 9, 8, segments(2, 7), is_new=True)
    with pytest.raises(Refused) as caught:
        route.way("main", segments(1, 2, 3), late, restart=False)
    assert f"it from {segments(2, 7)[0].name} on" in str(caught.value)
    assert f"expected: {segments(1, 4)[0].name}" in str(caught.value)
    assert "wal_keep_size" in str(caught.value)
    assert route.way("main", segments(1, 2, 3), late, restart=True) == segments(2, 8)


def test_a_hole_in_the_middle_of_what_the_server_has_is_a_gap():
    """What lies after it does not help."""
    holed = source(ONE, 9, 8, segments(1, 4, 6, 7), is_new=True)
    with pytest.raises(Refused, match=f"from {segments(1, 6)[0].name} on"):
        route.way("main", segments(1, 3), holed, restart=False)


def test_a_server_that_was_set_back_is_refused():
    """F11: it would write other WAL under names that are archived."""
    for restart in (False, True):
        with pytest.raises(Refused, match="the archive reaches further than the server"):
            route.way("main", segments(1, 2, 3, 4), source(ONE, 4, 4), restart=restart)


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    ("newest", "history"), [(None, ONE), (1, ONE), (1, TWO), (2, TWO), (None, TWO)]
)
def test_a_timeline_that_comes_from_the_archives_is_welcome(newest, history, restart):
    """As is the first one."""
    route.see_that_it_continues("main", newest, history, restart=restart)


def test_a_timeline_that_does_not_come_from_the_archives_is_refused():
    """F11: an older one always; a later one that branched off before, but for a full backup."""
    with pytest.raises(
        Refused, match=r"seen: timeline 1, after none; expected: timeline 2.*rejoin"
    ):
        route.see_that_it_continues("main", 2, ONE, restart=True)
    sibling = History(3, (Switch(1, 4 * SIZE),))
    with pytest.raises(Refused, match=r"seen: timeline 3, after 1; expected: timeline 2.*full"):
        route.see_that_it_continues("main", 2, sibling, restart=False)
    route.see_that_it_continues("main", 2, sibling, restart=True)
