"""Coverage: intervals, what is missing between them, and promotions that are no gap."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tasks.postgres.lsn import Segment
from tasks.repository.coverage import Gap, intervals, needed
from tasks.repository.history import History, Switch


SIZE = 1 << 24

TWO = History(2, (Switch(1, 5 * SIZE + 0x148),))


def segments(timeline, *numbers):
    """Return segments of a timeline."""
    return [Segment(timeline, number, SIZE) for number in numbers]


def test_an_interval_ends_at_a_gap_that_says_what_is_missing():
    """From, to and how many."""
    first, second = intervals(segments(1, 1, 2, 6))
    assert (first.gap, first.continues) == (None, None)
    assert second.gap == Gap(*segments(1, 3, 5))
    assert second.gap.count == 3


def test_a_promotion_is_no_gap():
    """The new timeline continues the old one where it was left."""
    _, new = intervals([*segments(1, 3, 4), *segments(2, 5, 6)], {2: TWO})
    assert new.continues == Switch(1, 5 * SIZE + 0x148)
    assert new.gap is None


def test_what_the_old_timeline_wrote_on_does_not_matter():
    """The archive of a fork goes on on the new timeline."""
    _, new = intervals([*segments(1, 3, 4, 5, 6, 7), *segments(2, 5, 6)], {2: TWO})
    assert new.continues.timeline == 1


def test_wal_that_is_missing_before_the_switch_is_a_gap():
    """On the way: of the old timeline up to it, of the new one from it on."""
    _, new = intervals([*segments(1, 3), *segments(2, 7)], {2: TWO})
    assert new.continues is None
    assert new.gap == Gap(Segment(1, 4, SIZE), Segment(2, 6, SIZE))
    assert new.gap.count == 3


def test_a_timeline_without_wal_of_its_own_is_passed_over():
    """It was left in the segment in which it began."""
    three = History(3, (*TWO.switches, Switch(2, 5 * SIZE + 0x200)))
    _, new = intervals([*segments(1, 4), *segments(3, 5)], {3: three})
    assert new.continues.timeline == 1


def test_a_timeline_whose_history_is_not_known_stands_alone():
    """Nothing is said of what leads to it."""
    _, new = intervals([*segments(1, 3, 4), *segments(2, 5)])
    assert (new.continues, new.gap) == (None, None)


@given(st.sets(st.integers(1, 40)), st.sets(st.integers(5, 40)))
def test_gaps_and_intervals_make_up_the_way(old, new):
    """On the way to the newest timeline every segment is in an interval or in a gap, never both."""
    known = {*segments(1, *old), *segments(2, *new)}
    found = [each for each in intervals(known, {2: TWO}) if each.first.timeline == 2]
    for before, after in pairwise(found):
        missing = range(before.last.number + 1, after.first.number)
        assert (after.gap.first.number, after.gap.last.number) == (missing[0], missing[-1])
    for each in found[:1]:
        on_way = [number for number in old if number < 5]
        held = each.first.number == 5 and 4 in on_way
        assert bool(each.continues) == held
        assert bool(each.gap) == (bool(on_way) and not held)
    assert [n.number for each in found for n in needed(each.first, each.last)] == sorted(new)
