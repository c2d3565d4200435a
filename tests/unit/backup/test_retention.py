"""Which backups are kept, and why: a pure plan."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.backup.inventory import UNKNOWN
from tasks.backup.policy import FULL, Policy, Standing
from tasks.backup.retention import plan_retention
from tasks.repository.model import BackupId, Damaged
from tasks.repository.proof import BYTES, TIERS
from tests.unit.backup.made import NOW, backup


MONTH = Policy(days=30, minimum=1)

PROVEN = Standing(passed=TIERS)

RECOVERED = Standing(passed=BYTES)

FAILED = Standing(passed=TIERS[:1], has_failed_bytes=True)


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
    plan = plan_retention([proven, newer, newest], {proven.id: PROVEN}, MONTH, NOW)
    assert proven.id in plan.keep
    assert newer.id in plan.drop


def test_a_backup_whose_last_proof_failed_is_not_the_last_proven():
    """The verdict that counts is the latest."""
    good, rotten = backup(50), backup(2)
    standings = {good.id: PROVEN, rotten.id: FAILED}
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
    """After an upgrade timelines and positions begin anew; the newest is still newest (F4).

    Scenario 13: WAL-G deleted the newest backups then.
    """
    before = backup(50, system="1", timeline=7, start=65_000)
    after = backup(45, system="2", timeline=1, start=1)
    newest = backup(40, system="2", timeline=1, start=2)
    plan = plan_retention([newest, before, after], {}, MONTH, NOW)
    assert plan.drop == [before.id, after.id]


def test_a_damaged_backup_is_kept():
    """Nobody knows what it is good for, so a person decides; that it is held is told as well."""
    broken = Damaged(BackupId("full-20200101T000000Z"), "edited")
    plan = plan_retention([broken, backup(1)], {broken.id: Standing(held="a (b)")}, MONTH, NOW)
    (decision,) = [each for each in plan.decisions if each.backup == broken.id]
    assert decision.keep
    assert decision.reason == "its document is damaged: look at it"
    assert decision.held == "a (b)"


def chain(age, *kinds, start=1):
    """Return a full backup and what is built on it, a day and a segment apart."""
    found = [backup(age, start=start)]
    for number, kind in enumerate(kinds, 1):
        parent = found[0] if kind == "differential" else found[-1]
        found.append(backup(age - number, kind, parent=parent, start=start + number))
    return found


def test_a_kept_increment_keeps_what_it_is_built_on_and_nothing_beside_it():
    """A differential needs its full one, and not the differential before it."""
    full, first, second = chain(80, "differential", "differential")
    pinned = {second.id: Standing(pin="audit")}
    newest = backup(1)
    begin = backup(40)
    plan = plan_retention([full, first, second, begin, newest], pinned, MONTH, NOW)
    assert plan.drop == [first.id]
    assert reasons(plan)[-1] == f"{second.id} is built on it"


def test_interleaved_chains_go_one_by_one():
    """Scenario 6: links of two chains taken in turns; one chain goes, the pinned one stays."""
    one, other = backup(90, start=1), backup(89, start=2)
    chains = [[one], [other]]
    for age in (88, 87, 86, 85):
        links = chains[age % 2]
        links.append(backup(age, "incremental", parent=links[-1], start=95 - age))
    found = [*chains[0], *chains[1], backup(40), backup(1)]
    for kept, gone in (chains, reversed(chains)):
        plan = plan_retention(found, {kept[-1].id: Standing(pin="audit")}, MONTH, NOW)
        assert plan.drop == [each.id for each in reversed(gone)]


def test_what_is_built_on_another_goes_before_it():
    """So that nothing without a beginning is ever listed."""
    full, first, second = chain(80, "incremental", "incremental")
    plan = plan_retention([full, first, second, backup(40), backup(1)], {}, MONTH, NOW)
    assert plan.drop == [second.id, first.id, full.id]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_newest_proven_chains_are_kept_however_old(number):
    """Chains are counted by their full backups; of each the last proven link stays."""
    chains = [chain(age, "incremental", "incremental") for age in (300, 250, 200)]
    standings = {link.id: PROVEN for links in chains for link in links[:2]}
    found = [*(link for links in chains for link in links), backup(40), backup(1)]
    plan = plan_retention(found, standings, Policy(30, 1, proven=number), NOW)
    for links in chains[-number:]:
        assert [link.id in plan.keep for link in links] == [True, True, False]
    gone = [link for links in chains[:-number] for link in links if link.id in plan.keep]
    assert gone == []


def test_the_newest_fully_proven_one_is_kept_beside_a_newer_one_that_recovers():
    """A comparison that failed, or was not made, leaves a chain that is known to recover."""
    full, compared, recovered, begin = backup(90), backup(80), backup(70), backup(40)
    standings = {full.id: PROVEN, compared.id: PROVEN, recovered.id: RECOVERED}
    plan = plan_retention([full, compared, recovered, begin, backup(1)], standings, MONTH, NOW)
    assert plan.drop == [full.id]
    told = {each.backup: each.reason for each in plan.decisions}
    assert told[compared.id] == "the newest one proven fully"
    assert "the newest one known to recover" in told[recovered.id]
    deeper = standings | {recovered.id: PROVEN}
    plan = plan_retention([full, compared, recovered, begin, backup(1)], deeper, MONTH, NOW)
    assert plan.drop == [full.id, compared.id]


@pytest.mark.parametrize("passed", [BYTES, (*BYTES, "structure"), (*BYTES, "contents"), TIERS])
def test_a_failed_comparison_does_not_keep_a_backup_from_being_counted(passed):
    """It can be restored; one whose bytes failed cannot, and another one stays in its place."""
    old, newer, newest = backup(90), backup(60), backup(50)
    policy = Policy(30, 2)
    sound = {newest.id: Standing(passed=passed)}
    assert plan_retention([old, newer, newest], sound, policy, NOW).drop == [old.id]
    failed = {newest.id: FAILED}
    assert plan_retention([old, newer, newest], failed, policy, NOW).drop == [newest.id]


def test_deeper_proofs_are_told_apart():
    """Equal contents come before a sound structure, and that before a start."""
    tiers = [(), BYTES, (*BYTES, "structure"), (*BYTES, "contents"), TIERS]
    assert [Standing(passed=each).depth for each in tiers] == [0, 1, 2, 3, FULL]
    assert Standing(passed=TIERS[3:]).depth == 0
    assert Standing(passed=TIERS, has_failed_bytes=True).depth == 0


def test_a_chain_without_a_beginning_is_kept_but_does_not_count_as_proven():
    """Its full backup may be read again tomorrow; a whole one is kept beside it."""
    whole, broken = chain(300, "incremental"), chain(200, "incremental")
    damaged = Damaged(broken[0].id, "edited")
    standings = {whole[1].id: PROVEN, broken[1].id: PROVEN}
    found = [*whole, damaged, broken[1], backup(40), backup(1)]
    assert plan_retention(found, standings, MONTH, NOW).drop == []


def test_a_window_does_not_begin_with_a_backup_that_failed():
    """What could not be restored is no beginning, however new."""
    good, failed, newest = backup(50), backup(40), backup(1)
    standings = {failed.id: FAILED}
    plan = plan_retention([good, failed, newest], standings, MONTH, NOW)
    assert plan.drop == [failed.id]
    everything = {each.id: FAILED for each in (good, failed)}
    assert plan_retention([good, failed, newest], everything, MONTH, NOW).drop == [good.id]


def test_snapshots_count_neither_as_full_nor_as_proven_backups():
    """They hold no point in time; the newest proven one stays beside the physical ones (F5)."""
    proven, first, second = backup(90), backup(80), backup(70)
    snapshots = [backup(age, "snapshot") for age in (65, 60, 50)]
    standings = {each.id: PROVEN for each in (proven, *snapshots[:2])}
    plan = plan_retention([proven, first, second, *snapshots], standings, Policy(30, 2), NOW)
    assert plan.keep == [proven.id, first.id, second.id, snapshots[1].id]
    kept = {each.backup: each.reason for each in plan.decisions}
    assert kept[snapshots[1].id] == (
        "the newest snapshot known to recover; the newest snapshot proven fully"
    )


def test_increments_do_not_count_among_the_fewest_full_ones():
    """Redundancy counts full chains only (F5)."""
    old, full, increment, other = backup(90), *chain(80, "incremental"), backup(70)
    plan = plan_retention([old, full, increment, other], {}, Policy(30, 2), NOW)
    assert plan.drop == [increment.id, old.id]


@pytest.mark.parametrize(("stored", "counts"), [(499, False), (500, True)])
def test_a_full_backup_that_shrank_to_less_than_half_does_not_count(stored, counts):
    """Empty dumps rotated out the good ones (GitLab, 2017), until none was left (F1)."""
    proven, good = backup(90, stored=1000), backup(80, stored=990)
    small = backup(70, stored=stored)
    plan = plan_retention([proven, good, small], {proven.id: PROVEN}, Policy(30, 1), NOW)
    assert (good.id in plan.drop) is counts
    kept = {each.backup: each.reason for each in plan.decisions}
    assert (f"{small.id} shrank against it" in kept[proven.id]) is not counts
    checked = {proven.id: PROVEN, small.id: PROVEN}
    assert good.id in plan_retention([proven, good, small], checked, Policy(30, 1), NOW).drop


def test_a_pin_keeps_until_it_expires():
    """At that moment it keeps nothing any more, and until then the reason tells of it."""
    old, newest = backup(80), [backup(60), backup(1)]
    until = NOW + timedelta(hours=1)
    standings = {old.id: Standing(pin="audit", pinned_until=until)}
    plan = plan_retention([old, *newest], standings, MONTH, NOW)
    assert reasons(plan)[-1] == "pinned until 2026-11-23 03:00:00 UTC: audit"
    assert (plan.decisions[0].pinned, plan.decisions[0].pinned_until) == ("audit", until)
    later = plan_retention([old, *newest], standings, MONTH, until)
    assert later.drop == [old.id]
    assert (later.decisions[0].pinned, later.decisions[0].pinned_until) == (None, None)


def test_a_legal_hold_keeps_a_backup_and_its_chain():
    """However old they are."""
    full, increment = chain(800, "incremental")
    standings = {increment.id: Standing(held="case 7 (a lawyer)")}
    plan = plan_retention([full, increment, backup(40), backup(1)], standings, MONTH, NOW)
    assert plan.drop == []
    assert reasons(plan)[-2] == "under legal hold: case 7 (a lawyer)"


def test_what_the_store_keeps_locked_is_kept_until_the_lock_ends():
    """So a removal is never half done."""
    old, newest = backup(80), [backup(60), backup(1)]
    until = NOW + timedelta(days=2)
    standings = {old.id: Standing(locked_until=until)}
    plan = plan_retention([old, *newest], standings, MONTH, NOW)
    assert reasons(plan)[-1] == "the store keeps it locked until 2026-11-25 02:00:00 UTC"
    assert plan_retention([old, *newest], standings, MONTH, until).drop == [old.id]
    endless = {old.id: Standing(locked_until=until.max.replace(tzinfo=until.tzinfo))}
    plan = plan_retention([old, *newest], endless, MONTH, NOW)
    assert reasons(plan)[-1] == "the store keeps it locked until somebody lets it go"


def test_a_longer_window_of_wal_keeps_backups_as_long():
    """Else a point between two of them could not be reached where WAL was lost, or upgraded."""
    found = [backup(age) for age in (95, 91, 60, 31, 1)]
    plan = plan_retention(found, {}, Policy(30, 1, wal_days=90), NOW)
    assert plan.drop == [found[0].id]
    assert reasons(plan)[2] == "younger than 90 days"


def test_where_the_platform_was_set_back_what_it_may_come_from_stays():
    """The newest backup from before the window lies on the way that was given up."""
    origin, abandoned = backup(50, start=10), backup(40, start=50)
    after = backup(20, timeline=2, start=12)
    plan = plan_retention([origin, abandoned, after], {}, MONTH, NOW)
    assert reasons(plan)[-1] == "the platform was set back to it or later"
    failed_over = replace(after, timeline=2, start_lsn="0/33000028")
    assert plan_retention([origin, abandoned, failed_over], {}, MONTH, NOW).drop == [origin.id]


HISTORIES = st.lists(
    st.tuples(
        st.integers(0, 120),
        st.sampled_from(["1", "2"]),
        st.integers(1, 3),
        st.sampled_from([UNKNOWN, PROVEN, RECOVERED, FAILED]),
    ),
    max_size=25,
    unique_by=lambda each: each[0],
)


@given(history=HISTORIES, days=st.integers(1, 60), minimum=st.integers(1, 5))
def test_no_history_loses_what_must_be_kept(history, days, minimum):
    """The last recovered backup stays, and the last fully proven one; the window stays restorable.

    A second run drops nothing.
    """
    found = [backup(age, system=of, timeline=line, start=age) for age, of, line, _ in history]
    standings = {each.id: row[3] for each, row in zip(found, history, strict=True)}
    policy = Policy(days, minimum)
    plan = plan_retention(found, standings, policy, NOW)
    kept = [each for each in found if each.id in plan.keep]

    ordered = sorted(found, key=lambda each: each.finished_at)
    for known in ((PROVEN, RECOVERED), (PROVEN,)):
        recovered = [each for each in ordered if standings[each.id] in known]
        assert all(each.id in plan.keep for each in recovered[-1:])
    counted = [each for each in found if standings[each.id] != FAILED]
    assert len(kept) >= min(minimum, len(counted))
    horizon = NOW - timedelta(days=days)
    for each in ordered:
        if each.finished_at >= horizon:
            assert each in kept
    if any(each.finished_at < horizon for each in ordered):
        assert any(each.finished_at < horizon for each in kept)
    assert plan_retention(kept, standings, policy, NOW).drop == []
