"""Ways: the segments of a timeline and of those that led to it, in runs without a gap."""

from datetime import UTC, datetime

import pytest

from tasks.control.errors import Refused
from tasks.postgres.lsn import Segment
from tasks.recovery.planning.way import Run, along
from tasks.repository.history import History, Switch
from tasks.repository.partial import Partial


SIZE = 16 << 20

TWO = History(2, (Switch(1, 5 * SIZE + 0x148),))


def kept(timeline, *numbers):
    """Return segments of a timeline."""
    return [Segment(timeline, number, SIZE) for number in numbers]


def unfinished(timeline, number, filled):
    """Return what is kept of a segment that is not whole."""
    at = datetime(2026, 11, 23, tzinfo=UTC)
    return Partial(Segment(timeline, number, SIZE), number * SIZE + filled, at, "x", "y")


def test_a_gap_parts_two_runs():
    """What is kept without a gap is a run, and ends where its last segment does."""
    way = along(None, {}, kept(1, 1, 2, 3, 6, 7), [], SIZE)
    assert way.runs == [Run(1, 3), Run(6, 7)]
    assert way.run(2 * SIZE) == Run(1, 3)
    assert way.run(4 * SIZE) is None
    assert [way.end(run) for run in way.runs] == [4 * SIZE, 8 * SIZE]


def test_the_newest_timeline_is_gone_along_unless_another_is_named():
    """Over the switch where the new one begins, or on along the old one."""
    segments = [*kept(1, 3, 4, 5, 6), *kept(2, 5, 6, 7)]
    newest = along(None, {2: TWO}, segments, [], SIZE)
    assert [newest.segment(number).timeline for number in range(3, 8)] == [1, 1, 2, 2, 2]
    assert newest.runs == [Run(3, 7)]
    old = along(1, {2: TWO}, segments, [], SIZE)
    assert old.runs == [Run(3, 6)]
    assert old.segment(6).timeline == 1


def test_an_unknown_timeline_is_refused_with_those_that_are_known():
    """Nothing would be replayed of it."""
    with pytest.raises(Refused, match="seen: 3; expected: 1 or 2"):
        along(3, {2: TWO}, kept(1, 1), [], SIZE)


def test_the_unfinished_segment_counts_as_far_as_it_is_kept():
    """Unless it is there as a whole."""
    part = unfinished(1, 3, 0x500)
    way = along(None, {}, kept(1, 1, 2), [part], SIZE)
    assert way.runs == [Run(1, 3)]
    assert way.end(way.runs[0]) == 3 * SIZE + 0x500
    whole = along(None, {}, kept(1, 1, 2, 3), [part], SIZE)
    assert whole.unfinished is None
    assert whole.end(whole.runs[0]) == 4 * SIZE


def test_the_unfinished_segment_of_a_timeline_that_was_left_does_not_count():
    """It is off the way."""
    way = along(None, {2: TWO}, [*kept(1, 4), *kept(2, 5)], [unfinished(1, 6, 9)], SIZE)
    assert way.unfinished is None
    assert way.runs == [Run(4, 5)]


def test_a_way_passes_a_backup_of_its_timelines_only(backup):
    """One that was taken on the old timeline after it was left is off the way."""
    way = along(None, {2: TWO}, kept(2, 5), [], SIZE)
    assert way.passes(backup(4))
    assert way.passes(backup(6, timeline=2))
    assert not way.passes(backup(6, timeline=1))
    assert not way.passes(backup(4, timeline=2))
