"""What a drill draws: any reachable point, from any backup that leads there; and what it proves."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.control.errors import Refused
from tasks.recovery.drill.draw import draw, lower_bound, reachable


SIZE = 16 << 20


def test_the_same_seed_draws_the_same(backup, window):
    """A drill can be made again."""
    seen = window([backup(2), backup(4)], range(2, 9))
    assert draw(7, seen) == draw(7, seen)
    assert draw(7, seen) != draw(8, seen)


def test_every_reachable_segment_is_drawn_and_nothing_else(backup, window):
    """Over a gap: from each backup's stop to the end of its run."""
    seen = window([backup(2), backup(4), backup(12)], [2, 3, 4, 5, 11, 12, 13])
    assert reachable(seen) == [(2 * SIZE + 0x120, 6 * SIZE), (12 * SIZE + 0x120, 14 * SIZE)]
    drawn = Counter(draw(seed, seen).position // SIZE for seed in range(600))
    assert set(drawn) == {2, 3, 4, 5, 12, 13}
    assert min(drawn.values()) > 50


def test_a_backup_that_does_not_lead_to_the_point_is_never_drawn(backup, window):
    """Nor one that has a problem; both others are."""
    bases = window([backup(2), backup(3), backup(4)], range(2, 9))
    bases = replace(bases, bases=[*bases.bases[:2], replace(bases.bases[2], problem="is gone")])
    drawn = [draw(seed, bases) for seed in range(200)]
    assert {each.backup for each in drawn} == {backup(2).id, backup(3).id}
    assert all(each.backup == backup(2).id for each in drawn if each.position < 3 * SIZE)


def test_nothing_to_draw_from_is_refused(backup, window):
    """There is no backup yet."""
    with pytest.raises(Refused, match="there is nothing to rehearse"):
        draw(1, window([], range(9)))


@pytest.mark.parametrize(
    ("passed", "drills", "share"),
    [(100, 100, 0.9705), (59, 59, 0.9505), (1, 1, 0.05), (0, 5, 0.0), (99, 100, 0.9534)],
)
def test_how_sure_one_may_be(passed, drills, share):
    """The exact bound; a hundred drills without a failure: 97 %."""
    assert lower_bound(passed, drills) == pytest.approx(share, abs=2e-4)


@given(st.integers(1, 200), st.data())
def test_one_more_pass_is_never_worse_and_one_failure_never_better(drills, data):
    """A property of the bound."""
    passed = data.draw(st.integers(0, drills))
    bound = lower_bound(passed, drills)
    assert 0 <= bound <= 1
    assert lower_bound(passed + 1, drills + 1) >= bound - 1e-9
    assert lower_bound(passed, drills + 1) <= bound + 1e-9
