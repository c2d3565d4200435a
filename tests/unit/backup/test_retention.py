"""Which backups are kept, and why: a pure plan."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tasks.backup.retention import Policy, Standing, plan_retention, wal_floor
from tasks.repository.catalogue import Damaged
from tasks.repository.model import Backup, BackupId
from tasks.repository.seal import Seal


NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
MONTH = Policy(days=30, minimum=1)


def backup(age_days, *, system="1", timeline=1, start="0/1000028"):
    """Return a backup that finished so many days ago."""
    at = NOW - timedelta(days=age_days)
    return Backup(
        id=BackupId(f"full-{at:%Y%m%dT%H%M%SZ}"),
        stanza="main",
        type="full",
        parent=None,
        system_identifier=system,
        server_version=180006,
        started_at=at,
        finished_at=at,
        start_lsn=start,
        stop_lsn=start,
        timeline=timeline,
        segment_bytes=1 << 24,
        objects=[],
        tablespaces=[],
        seal=Seal("x", start, at, "locked", 1, {}, 0, 0, 0.0),
        phases={},
    )


def reasons(plan):
    """Return the reasons by backup, newest first."""
    return [decision.reason for decision in reversed(plan.decisions)]


def test_young_backups_are_kept_and_old_ones_go():
    """What the window does not need any more is removed."""
    young, begin, old = backup(1), backup(31), backup(40)
    plan = plan_retention([old, begin, young], {}, MONTH, NOW)
    assert plan.drop == [old.id]
    assert plan.keep == [begin.id, young.id]


def test_the_window_keeps_the_backup_that_it_begins_with():
    """Without the newest backup from before the window its first days could not be restored."""
    plan = plan_retention([backup(31), backup(1)], {}, MONTH, NOW)
    assert reasons(plan)[1] == "the window begins with it"


def test_the_last_proven_backup_is_kept_however_old():
    """Newer backups that nobody proved do not replace it."""
    proven, newer, newest = backup(90), backup(40), backup(35)
    plan = plan_retention(
        [proven, newer, newest], {proven.id: Standing(verdict="proven")}, MONTH, NOW
    )
    assert proven.id in plan.keep
    assert newer.id in plan.drop


def test_a_backup_whose_last_proof_failed_is_not_the_last_proven():
    """The verdict that counts is the latest."""
    good, rotten = backup(50), backup(2)
    standings = {good.id: Standing(verdict="proven"), rotten.id: Standing(verdict="failed")}
    plan = plan_retention([good, rotten], standings, MONTH, NOW)
    assert good.id in plan.keep


def test_the_newest_are_kept_however_old():
    """A platform that was not backed up for months does not lose what it has."""
    found = [backup(age) for age in (400, 300, 200, 100)]
    plan = plan_retention(found, {}, Policy(days=30, minimum=3), NOW)
    assert plan.drop == [found[0].id]


def test_what_is_pinned_or_in_use_is_kept_and_the_reason_is_told():
    """A pin and a reader keep a backup beyond its time."""
    pinned, used, newer, newest = backup(80), backup(70), backup(60), backup(1)
    standings = {pinned.id: Standing(pin="audit"), used.id: Standing(in_use=True)}
    plan = plan_retention([pinned, used, newer, newest], standings, MONTH, NOW)
    assert reasons(plan)[-2:] == ["in use", "pinned: audit"]


def test_a_backup_whose_proof_is_damaged_is_kept():
    """It may be the last good one; a person looks at it."""
    doubtful, old, begin, newest = backup(80), backup(70), backup(60), backup(1)
    standings = {doubtful.id: Standing(is_in_doubt=True)}
    plan = plan_retention([doubtful, old, begin, newest], standings, MONTH, NOW)
    assert reasons(plan)[-1] == "its proof is damaged: look at it"
    assert plan.drop == [old.id]


def test_age_is_told_by_time_and_not_by_timeline_or_position():
    """After an upgrade timelines and positions begin anew; the newest backup is still newest."""
    before = backup(50, system="1", timeline=7, start="FF/0")
    after = backup(45, system="2", timeline=1, start="0/1000028")
    newest = backup(40, system="2", timeline=1, start="0/2000028")
    plan = plan_retention([newest, before, after], {}, MONTH, NOW)
    assert plan.drop == [before.id, after.id]


def test_a_damaged_backup_is_kept_and_keeps_all_wal():
    """Nobody knows what it needs, so a person decides."""
    broken = Damaged(BackupId("full-20200101T000000Z"), "edited")
    entries = [broken, backup(1)]
    plan = plan_retention(entries, {}, MONTH, NOW)
    assert broken.id in plan.keep
    assert wal_floor(entries, plan.keep) == {}


def test_wal_is_needed_from_the_lowest_start_of_a_kept_backup():
    """Each cluster has a floor of its own; one without kept backups needs no WAL."""
    gone = backup(60, system="1", start="0/1000028")
    old = backup(20, system="2", start="0/5000028")
    new = backup(10, system="2", start="0/9000028")
    assert wal_floor([gone, old, new], {old.id, new.id}) == {"1": None, "2": 0x5000028}


HISTORIES = st.lists(
    st.tuples(
        st.integers(0, 120),
        st.sampled_from(["1", "2"]),
        st.integers(1, 3),
        st.sampled_from([None, "proven", "failed", "error"]),
    ),
    max_size=25,
    unique_by=lambda each: each[0],
)


@given(history=HISTORIES, days=st.integers(1, 60), minimum=st.integers(1, 5))
def test_no_history_loses_what_must_be_kept(history, days, minimum):
    """The last proven backup stays, the window stays restorable, and a second run drops nothing."""
    found = [backup(age, system=system, timeline=line) for age, system, line, _ in history]
    standings = {
        each.id: Standing(verdict=row[3]) for each, row in zip(found, history, strict=True)
    }
    policy = Policy(days, minimum)
    plan = plan_retention(found, standings, policy, NOW)
    kept = [each for each in found if each.id in plan.keep]

    ordered = sorted(found, key=lambda each: each.finished_at)
    proven = [each for each in ordered if standings[each.id].verdict == "proven"]
    assert all(each.id in plan.keep for each in proven[-1:])
    assert len(kept) >= min(minimum, len(found))
    horizon = NOW - timedelta(days=days)
    for each in ordered:
        if each.finished_at >= horizon:
            assert each in kept
    if any(each.finished_at < horizon for each in ordered):
        assert any(each.finished_at < horizon for each in kept)
    assert plan_retention(kept, standings, policy, NOW).drop == []
