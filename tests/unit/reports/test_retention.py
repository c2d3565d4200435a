"""The report of a cleanup: what is kept and why, what is gone, and where the WAL has gaps."""

from dataclasses import replace
from datetime import UTC, datetime

from reports.retention import Upkeep, coverage, kept, pinned, report
from tasks.backup.retention import Cleaned, Decision, Plan
from tasks.postgres.lsn import Segment
from tasks.repository.coverage import Interval, intervals
from tasks.repository.history import History, Switch
from tasks.repository.model import BackupId


BEGUN = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)

OLD, NEW = BackupId("full-20261001T020000Z"), BackupId("full-20261123T020000Z")

DECISIONS = [
    Decision(OLD, keep=False, reason="older than 30 days"),
    Decision(
        NEW,
        keep=True,
        reason="younger than 30 days",
        expires_at=datetime(2026, 12, 23, 2, tzinfo=UTC),
    ),
]


def cleaned(*, is_dry_run=False, decisions=DECISIONS):
    """Return what a cleanup did."""
    return Cleaned(Plan(list(decisions)), 7, [BackupId("full-x")], 1_500_000, is_dry_run)


def interval(first, last, timeline=1):
    """Return an interval of segments."""
    return Interval(Segment(timeline, first), Segment(timeline, last))


def test_a_cleanup_says_first_how_many_stay_and_how_many_go():
    """The rest follows below."""
    text = report(Upkeep("main", BEGUN, cleaned()))
    assert text.splitlines()[0] == "# CLEANED UP: 1 backup kept, 1 removed"
    assert f"| {OLD} | removed | older than 30 days | - |" in text
    assert f"| {NEW} | keep | younger than 30 days | 2026-12-23 02:00:00 UTC |" in text
    assert "1 backup, 7 WAL segments and 1 leftover removed, 1.5 MB freed." in text
    assert "The next expiry is on 2026-12-23 02:00:00 UTC." in text


def test_a_dry_run_is_never_taken_for_a_real_one():
    """In no line."""
    text = report(Upkeep("main", BEGUN, cleaned(is_dry_run=True)))
    assert text.splitlines()[0] == "# DRY RUN: 1 backup kept, 1 to go"
    assert f"| {OLD} | would be removed |" in text
    assert "leftover would be removed" in text
    assert "| removed |" not in text


def test_a_cleanup_that_broke_off_says_so_and_why():
    """Nothing is said of what was kept, since nobody knows."""
    text = report(Upkeep("main", BEGUN, error="stanza main: cleanup is in use"))
    assert text.splitlines()[0] == "# NOT CLEANED UP: stanza main"
    assert "> stanza main: cleanup is in use" in text
    assert "What is kept" not in text


def test_without_a_backup_there_is_no_expiry():
    """The page is whole all the same."""
    text = kept(cleaned(decisions=[]))
    assert "next expiry" not in text
    assert kept(None) is None


def test_pins_and_legal_holds_stand_in_a_table_of_their_own():
    """With the reason, and with what ends them."""
    until = datetime(2026, 12, 1, tzinfo=UTC)
    decisions = [
        Decision(OLD, keep=True, reason="", pinned="audit", pinned_until=until, held="case 7 (me)"),
        Decision(NEW, keep=True, reason="", pinned="upgrade"),
    ]
    text = report(Upkeep("main", BEGUN, cleaned(decisions=decisions)))
    assert f"| legal hold | {OLD} | case 7 (me) | it is released |" in text
    assert f"| pin | {OLD} | audit | 2026-12-01 00:00:00 UTC |" in text
    assert f"| pin | {NEW} | upgrade | it is unpinned |" in text
    assert "Expired pins" not in text


def test_expired_pins_are_named():
    """Whoever wanted those backups kept learns that they are not any more."""
    done = replace(cleaned(), expired_pins=[OLD])
    assert pinned(done) == f"## Pins and legal holds\n\nExpired pins removed: {OLD}."
    assert f"would be removed: {OLD}." in pinned(replace(done, is_dry_run=True))


def test_without_pins_and_holds_nothing_is_said_of_them():
    """No empty table."""
    assert pinned(cleaned()) is None
    assert pinned(None) is None


def test_wal_without_a_gap_is_said_to_have_none():
    """Every point can be reached."""
    text = coverage([interval(1, 40)])
    assert "| 1 | 000000010000000000000001 | 000000010000000000000028 | 40 | - |" in text
    assert "No gap" in text


def test_a_gap_is_said_in_bold():
    """What lies between two rows cannot be reached."""
    text = coverage([interval(1, 2), interval(5, 9), interval(5, 6, timeline=2)])
    assert "**2 gaps**" in text
    assert "No gap" not in text


def test_a_promotion_is_no_gap():
    """The new timeline says where it continues the old one."""
    history = History(2, (Switch(1, 3 * (1 << 24) + 0x148),))
    segments = [Segment(1, 1), Segment(1, 2), Segment(2, 3)]
    text = coverage(intervals(segments, {2: history}))
    assert "| continues timeline 1 at 0/3000148 |" in text
    assert "No gap" in text


def test_no_wal_is_no_table():
    """An empty repository covers nothing."""
    assert coverage([]) is None
