"""Which archived WAL is needed: by position, by cluster, and never by timeline."""

from datetime import timedelta

import pytest

from tasks.backup.policy import Policy, Standing
from tasks.backup.wal_window import Span, spans_needed, unneeded
from tasks.postgres.lsn import Segment
from tasks.repository.model import BackupId, Damaged
from tasks.repository.proof import TIERS
from tests.unit.backup.made import NOW, SEGMENT, backup


MONTH = Policy(days=30, minimum=1)

PROVEN = Standing(passed=TIERS)


def numbers(found, *, standings=None, kept=None, policy=MONTH, system="1"):
    """Return the numbers of the segments, of 100, that are needed."""
    names = {each.id for each in found} if kept is None else {each.id for each in kept}
    spans = spans_needed(found, standings or {}, names, policy, NOW)
    segments = [Segment(1, number) for number in range(100)]
    gone = unneeded(segments, spans[system])
    return [each.number for each in segments if each not in gone]


def test_the_window_needs_all_wal_from_the_backup_that_it_begins_with():
    """What lies before is removed."""
    assert numbers([backup(31, start=10, seal=11), backup(1, start=50)]) == [*range(10, 100)]


def test_a_backup_that_is_kept_beyond_the_window_needs_only_its_own_wal():
    """From its start to its seal, so that it can still be restored (F6)."""
    pinned, begin = backup(90, start=10, seal=12), backup(40, start=50)
    assert numbers([pinned, begin, backup(1, start=70)]) == [10, 11, 12, *range(50, 100)]


def test_a_chain_needs_wal_from_its_full_backup_on():
    """Where a later link turns out bad, the earlier one leads to the same points."""
    full = backup(45, start=10)
    begin = backup(40, "incremental", parent=full, start=20)
    assert numbers([full, begin, backup(1, start=50)]) == [*range(10, 100)]


def test_the_newest_proven_backup_from_before_the_window_leads_to_it_as_well():
    """A beginning that nobody proved is not relied on alone."""
    proven, begin = backup(45, start=10), backup(40, start=20)
    found = [proven, begin, backup(1, start=50)]
    assert numbers(found, standings={proven.id: PROVEN}) == [*range(10, 100)]
    assert numbers(found, standings={begin.id: PROVEN}) == [10, *range(20, 100)]


def test_the_window_of_wal_may_be_shorter_than_that_of_backups():
    """Young backups that lie before it need their own WAL and no more."""
    found = [backup(20, start=10), backup(12, start=20), backup(8, start=30), backup(1, start=40)]
    week = Policy(days=30, minimum=1, wal_days=7)
    assert numbers(found, policy=week) == [10, 20, *range(30, 100)]


def test_a_backup_that_is_being_read_needs_all_wal_from_its_start_on():
    """A restore may be on its way from it to a later point."""
    read, begin = backup(90, start=10), backup(40, start=50)
    found = [read, begin, backup(1, start=70)]
    assert numbers(found, standings={read.id: Standing(in_use=True)}) == [*range(10, 100)]


def test_wal_is_compared_by_position_on_every_timeline():
    """A promotion within the window needs the end of one timeline and the start of the next."""
    begin, after = backup(40, start=50), backup(1, timeline=2, start=70)
    spans = spans_needed([begin, after], {}, {begin.id, after.id}, MONTH, NOW)["1"]
    segments = [Segment(line, number) for line in (1, 2, 3) for number in (49, 50, 80)]
    assert unneeded(segments, spans) == {Segment(line, 49) for line in (1, 2, 3)}


def test_a_younger_backup_at_a_lower_position_needs_its_wal():
    """The platform was set back in time; positions before the window's beginning are new again."""
    begin, after = backup(40, start=50), backup(1, timeline=2, start=12)
    assert numbers([begin, after]) == [*range(12, 100)]


def test_each_cluster_has_needs_of_its_own():
    """After an upgrade positions begin anew; one without kept backups needs no WAL (F4)."""
    gone = backup(60, system="1", start=1)
    old, new = backup(35, system="2", start=5), backup(10, system="2", start=9)
    found = [gone, old, new]
    assert numbers(found, kept=[old, new], system="1") == []
    assert numbers(found, kept=[old, new], system="2") == [*range(5, 100)]


def test_snapshots_need_no_wal():
    """Neither do they hold any back, nor is a cluster without other backups known to need none."""
    snapshot, begin = backup(90, "snapshot", start=10), backup(40, start=50)
    assert numbers([snapshot, begin]) == [*range(50, 100)]
    assert spans_needed([snapshot], {}, {snapshot.id}, MONTH, NOW) == {}


@pytest.mark.parametrize("name", ["full-20200101T000000Z", "incremental-20200101T000000Z"])
def test_while_a_document_is_damaged_all_wal_is_kept(name):
    """Nobody knows what that backup needs."""
    found = [Damaged(BackupId(name), "edited"), backup(40, start=50)]
    assert spans_needed(found, {}, {each.id for each in found}, MONTH, NOW) == {}


def test_a_span_touches_a_segment_that_holds_its_first_or_its_last_byte():
    """Both ends are included, and nothing beyond them."""
    span = Span(SEGMENT * 2 + 40, SEGMENT * 4)
    assert [n for n in range(8) if span.touches(Segment(1, n))] == [2, 3, 4]
    assert [n for n in range(8) if Span(SEGMENT * 6).touches(Segment(9, n))] == [6, 7]


def test_the_windows_of_a_policy_are_one_unless_it_says_otherwise():
    """An unset window of WAL is that of the backups."""
    assert MONTH.window(NOW) == MONTH.wal_window(NOW) == NOW - timedelta(days=30)
    assert Policy(30, 1, wal_days=7).wal_window(NOW) == NOW - timedelta(days=7)
