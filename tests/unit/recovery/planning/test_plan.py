"""Plans: the newest sound backup that leads to a stop, or a refusal with the nearest bounds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.control.errors import Refused
from tasks.recovery.planning.choice import choose, nearest
from tasks.recovery.planning.locate import Stop
from tasks.recovery.planning.target import Target
from tasks.recovery.planning.waldump import Mark
from tasks.repository.history import History, Switch


SIZE = 16 << 20

TWO = History(2, (Switch(1, 5 * SIZE + 0x148),))

WANTED = Target("lsn", "0/1")


def stop(position, *, inclusive=True, begun_by=None):
    """Return a stop at a position."""
    return Stop(position, inclusive, "a record", begun_by)


def test_the_newest_backup_before_the_stop_is_taken(backup, window):
    """It has the least to replay."""
    seen = window([backup(2), backup(4), backup(6)], range(2, 9))
    base, passed_over = choose(WANTED, stop(5 * SIZE), seen, None)
    assert (base.backup.id, passed_over) == (backup(4).id, [])


def test_one_with_a_problem_is_passed_over_and_told(backup, window):
    """An older one does as well."""
    seen = window([backup(2), backup(4)], range(2, 9))
    seen = replace(seen, bases=[seen.bases[0], replace(seen.bases[1], problem="lacks base.tar")])
    base, passed_over = choose(WANTED, stop(5 * SIZE), seen, None)
    assert base.backup.id == backup(2).id
    assert passed_over == [f"{backup(4).id}: lacks base.tar"]


def failing(seen, *numbers):
    """Return a window in which the bytes of some bases failed."""
    return replace(
        seen,
        bases=[
            replace(each, failed="its bytes failed") if number in numbers else each
            for number, each in enumerate(seen.bases)
        ],
    )


def test_one_whose_bytes_failed_is_passed_over_refused_or_accepted(backup, window):
    """Passed over where another one leads there; else only whoever accepts it gets it."""
    seen = window([backup(2), backup(4)], range(2, 9))
    some, every = failing(seen, 1), failing(seen, 0, 1)
    for accepts in (False, True):
        base, passed_over = choose(WANTED, stop(5 * SIZE), some, None, is_accepting=accepts)
        assert base.backup.id == backup(2).id
        assert passed_over == [f"{backup(4).id}: its bytes failed"]
    for named in (None, backup(4).id):
        with pytest.raises(Refused, match="--accept-failed-proof") as refused:
            choose(WANTED, stop(5 * SIZE), every, named)
        assert f"{backup(4).id}: its bytes failed" in str(refused.value)
        base, _ = choose(WANTED, stop(5 * SIZE), every, named, is_accepting=True)
        assert base.backup.id == backup(4).id


def test_a_doubt_is_no_reason_to_choose_another_one(backup, window):
    """It is warned of, and nothing is passed over."""
    seen = window([backup(2), backup(4)], range(2, 9))
    doubted = replace(seen.bases[1], doubts=["it differs"], differs=True)
    seen = replace(seen, bases=[seen.bases[0], doubted])
    base, passed_over = choose(WANTED, stop(5 * SIZE), seen, None)
    assert (base, passed_over) == (doubted, [])


def test_the_nearest_base_before_a_gap_is_the_newest_that_becomes_consistent(backup, window):
    """A sound one comes before one whose bytes failed; none is after the point."""
    seen = window([backup(2), backup(4), backup(6)], [2, 3, 4, 6, 9])
    end = stop(9 * SIZE + 0x200)
    assert nearest(end, seen, None).backup.id == backup(6).id
    assert nearest(end, failing(seen, 2), None).backup.id == backup(4).id
    assert nearest(end, failing(seen, 0, 1, 2), None).backup.id == backup(6).id
    assert nearest(stop(5 * SIZE), seen, None).backup.id == backup(4).id
    assert nearest(end, seen, backup(2).id).backup.id == backup(2).id
    assert nearest(stop(SIZE), seen, None) is None
    assert nearest(None, window([backup(2)], [3]), None) is None
    with pytest.raises(Refused, match=f"restores {backup(6).id} up to where WAL is missing"):
        choose(WANTED, end, seen, None)
    with pytest.raises(Refused) as refused:
        choose(WANTED, stop(SIZE), seen, None)
    assert "--accept-failed-proof" not in str(refused.value)


def test_the_one_that_is_named_is_taken_or_refused(backup, window):
    """Never another one."""
    seen = window([backup(2), backup(4)], range(2, 9))
    base, _ = choose(WANTED, stop(5 * SIZE), seen, backup(2).id)
    assert base.backup.id == backup(2).id
    with pytest.raises(Refused, match="became consistent at 0/4000120 only"):
        choose(WANTED, stop(3 * SIZE), seen, backup(4).id)


@pytest.mark.parametrize(
    ("position", "inclusive", "is_reached"),
    [(0x120, False, True), (0x120, True, True), (0x118, True, False), (0x110, False, False)],
)
def test_f8_a_stop_at_the_very_end_of_a_backup_is_reached_or_refused(
    backup, window, position, inclusive, is_reached
):
    """F8: a recovery that never becomes consistent is not begun."""
    seen, end = window([backup(2)], range(2, 4)), stop(2 * SIZE + position, inclusive=inclusive)
    if is_reached:
        assert choose(WANTED, end, seen, None)[0].backup.id == backup(2).id
    else:
        with pytest.raises(Refused, match="after that point"):
            choose(WANTED, end, seen, None)


def test_f7_a_point_before_every_backup_is_refused_with_the_bounds(backup, window):
    """F7: it is not taken for the latest."""
    last = Mark(8 * SIZE, "commit", 700, datetime(2026, 11, 23, 9, tzinfo=UTC))
    seen = replace(window([backup(2), backup(4)], range(1, 9)), last=last)
    with pytest.raises(Refused) as refused:
        choose(WANTED, stop(SIZE), seen, None)
    bounds = f"(0/2000120, {backup(2).id}) to 2026-11-23 09:00:00.000000 UTC (0/9000000)"
    assert f"expected: 2026-11-23 02:00:00.000000 UTC {bounds}" in str(refused.value)


def test_a_point_behind_a_gap_is_refused_with_the_gap(backup, window):
    """And with where points are reached again."""
    seen = window([backup(2), backup(7)], [2, 3, 7, 8])
    with pytest.raises(Refused) as refused:
        choose(WANTED, stop(6 * SIZE), seen, None)
    assert f"{backup(2).id}: WAL from its start on reaches 0/4000000 only" in str(refused.value)
    assert "but not from 0/4000000 to 0/7000120" in str(refused.value)
    assert choose(WANTED, stop(3 * SIZE), seen, None)[0].backup.id == backup(2).id
    assert choose(WANTED, stop(8 * SIZE), seen, None)[0].backup.id == backup(7).id


def test_a_time_in_a_gap_is_not_taken_for_the_next_backup(backup, window):
    """What was committed in the gap is not known, so the backup must have been begun before it."""
    seen, at = window([backup(7)], [7, 8]), backup(7).started_at
    with pytest.raises(Refused, match="was begun after that time"):
        choose(WANTED, stop(8 * SIZE, begun_by=at - timedelta(minutes=1)), seen, None)
    assert choose(WANTED, stop(8 * SIZE, begun_by=at), seen, None)[0].backup.id == backup(7).id


def test_a_backup_off_the_way_is_not_begun_with(backup, window):
    """A timeline that does not reach the point is refused."""
    seen = window([backup(6, timeline=1)], range(2, 9), TWO)
    with pytest.raises(Refused, match="is of timeline 1, off the way to 2"):
        choose(WANTED, stop(7 * SIZE), seen, None)


def test_as_soon_as_possible_is_the_newest_backup(backup, window):
    """Its own WAL is all that it needs."""
    seen = window([backup(2), backup(4)], [2, 4])
    assert choose(WANTED, None, seen, None)[0].backup.id == backup(4).id


def test_without_a_backup_nothing_is_reached(window):
    """However much WAL there is."""
    with pytest.raises(Refused, match="there is no physical backup"):
        choose(WANTED, stop(SIZE), window([], range(9)), None)
