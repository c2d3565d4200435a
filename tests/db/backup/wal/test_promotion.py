"""WAL across promotions: followed where it belongs to the archive, refused by name elsewhere."""

import pytest

from tasks.backup import physical, wal
from tasks.backup.take import take
from tasks.control.errors import Refused, Transient
from tasks.postgres import slot
from tasks.recovery.proving.verify import verify


def joined(intervals):
    """Return the timelines of intervals, and which ones they continue."""
    return [
        (each.first.timeline, each.continues.timeline if each.continues else None)
        for each in intervals
    ]


def test_f12_backups_are_proven_across_a_promotion(house):
    """F12: one from before it still is, and so are a full and an incremental one after it."""
    standby = house.standby("standby")
    before = take(house.stanza)
    house.write(house.primary, 3)
    house.run(house.primary, "insert into counted values (2)")
    house.fail_over(standby)
    site = house.at(standby)
    pulled = wal.pull(site, site.server())
    assert pulled.segments >= 4
    assert joined(pulled.intervals) == [(1, None), (2, 1)]
    history = wal.open_archive(site, site.server()).histories()[2]
    assert history.ancestors == (1,)
    assert pulled.intervals[1].continues.position == history.parent.position
    assert slot.find(site.server()).name == "hl7ops_main"
    house.run(standby, "insert into counted select * from generate_series(1, 1000)")
    increment = take(site, "incremental")
    assert (increment.parent, increment.timeline) == (before.id, 2)
    full = take(site)
    assert full.timeline == 2
    for backup in (before, increment, full):
        proof = verify(site, backup.id)
        assert proof.verdict == "proven", proof.failed


def test_what_the_old_primary_did_not_hand_over_comes_from_the_new_one(house):
    """Segments of the old timeline up to the switch, then those of the new one from it on.

    A standby removes what it has replayed when it is promoted, unless it keeps WAL for this.
    """
    standby = house.standby("standby")
    wal.pull(house.stanza, house.stanza.server(), restart=True)
    house.write(house.primary, 5)
    house.fail_over(standby)
    house.write(standby, 2)
    site = house.at(standby)
    wal.pull(site, site.server())
    archive = wal.open_archive(site, site.server())
    kept, history = archive.kept(), archive.histories()[2]
    first = min(segment.number for segment in kept)
    last = max(segment.number for segment in kept)
    assert set(kept) >= {history.segment(n, archive.segment_bytes) for n in range(first, last + 1)}
    switch = history.parent.position // archive.segment_bytes
    assert min(segment.number for segment in kept if segment.timeline == 2) == switch
    assert wal.pull(site, site.server()).segments <= 1  # PostgreSQL itself may have written


def test_a_second_promotion_is_followed_over_the_first(house):
    """Also where nothing was pulled between the two."""
    first = house.standby("first")
    second = house.standby("second", of=first)
    wal.pull(house.stanza, house.stanza.server(), restart=True)
    house.write(house.primary, 2)
    house.fail_over(first)
    house.write(first, 2)
    house.fail_over(second, first)
    house.write(second)
    site = house.at(second)
    pulled = wal.pull(site, site.server())
    assert joined(pulled.intervals) == [(1, None), (2, 1), (3, 2)]
    assert set(wal.open_archive(site, site.server()).histories()) >= {3}


def test_a_gap_before_the_switch_is_named_and_a_full_backup_begins_anew(house):
    """The promoted server has removed WAL that nobody had archived."""
    standby = house.standby("standby", wal_keep_size=0)
    wal.pull(house.stanza, house.stanza.server(), restart=True)
    house.write(house.primary, 3)
    house.fail_over(standby)
    site = house.at(standby)
    last = wal.coverage(site)[-1].last
    while last.next().name in slot.present(site.server()):  # until it is summarized
        house.run(standby, "checkpoint")
    said = rf"WAL is missing .* expected: {last.next().name}; .*wal_keep_size on standbys"
    with pytest.raises(Refused, match=said):
        wal.pull(site, site.server())
    made = take(site)
    assert verify(site, made.id).verdict == "proven"
    after = wal.coverage(site)[-1]
    assert after.continues is None
    assert after.gap.first == last.next()
    assert after.gap.last.number == after.first.number - 1


def test_a_fork_is_followed_and_told(house, caplog):
    """The archive has WAL that the promoted server never received; both stay restorable."""
    standby = house.standby("standby")
    before = take(house.stanza)
    house.sync(house.primary, standby)
    standby.stop()
    house.write(house.primary, 3)
    wal.pull(house.stanza, house.stanza.server())
    house.primary.stop("immediate")
    standby.start()
    house.promote(standby)
    site = house.at(standby)
    pulled = wal.pull(site, site.server())
    assert "timeline 1 was left at" in caplog.text
    assert joined(pulled.intervals) == [(1, None), (2, 1)]
    old, new = pulled.intervals
    assert old.last.number > new.first.number
    assert verify(site, before.id).verdict == "proven"
    assert verify(site, take(site).id).verdict == "proven"


def test_f11_a_primary_that_was_left_behind_is_refused(house):
    """F11: it writes on, on a timeline that the archive has left."""
    standby = house.standby("standby")
    wal.pull(house.stanza, house.stanza.server(), restart=True)
    house.write(house.primary)
    house.fail_over(standby)
    site = house.at(standby)
    wal.pull(site, site.server())
    before = wal.coverage(site)
    house.primary.start()
    house.write(house.primary, 2)
    left = house.stanza
    for refused in (lambda: wal.pull(left, left.server()), lambda: take(left)):
        with pytest.raises(Refused, match=r"seen: timeline 1, .*expected: timeline 2.*rejoin"):
            refused()
    assert wal.coverage(site) == before


def test_f11_a_stray_standby_is_refused_and_keeps_no_slot(house):
    """F11: it was promoted, too, elsewhere; its timeline has the same number."""
    chosen, stray = house.standby("chosen"), house.standby("stray")
    wal.pull(house.stanza, house.stanza.server(), restart=True)
    house.sync(house.primary, stray)
    stray.stop()
    house.write(house.primary)
    house.fail_over(chosen)
    site = house.at(chosen)
    wal.pull(site, site.server())
    stray.start()
    house.promote(stray)
    house.write(stray, 3)
    other = house.at(stray)
    for refused in (lambda: wal.pull(other, other.server()), lambda: take(other)):
        with pytest.raises(Refused, match=r"another history .*archived; seen: 00000002.history"):
            refused()
    assert slot.find(other.server()) is None
    assert joined(wal.coverage(site)) == [(1, None), (2, 1)]


@pytest.mark.parametrize("ahead", [0, 3], ids=["copy behind", "copy ahead"])
def test_f11_a_restored_copy_is_refused(house, ahead):
    """F11: same timeline, same slot; what it has written since is not what is archived."""
    wal.pull(house.stanza, house.stanza.server(), restart=True)
    house.write(house.primary)
    house.primary.stop()
    copy = house.copy("copy", house.primary)
    house.primary.start()
    copy.start()
    house.write(house.primary, 2)
    wal.pull(house.stanza, house.stanza.server())
    house.write(copy, ahead)
    other = house.at(copy)
    seen = "other contents" if ahead else "reaches further than the server"
    with pytest.raises(Refused, match=seen):
        wal.pull(other, other.server())
    with pytest.raises(Refused, match=seen):
        take(other)
    assert (
        wal.pull(house.stanza, house.stanza.server()).segments <= 1
    )  # PostgreSQL itself may have written


def test_a_later_timeline_that_branched_off_before_needs_a_full_backup(house):
    """As after a restore to an earlier point: a pull refuses it, a full backup begins anew."""
    early = house.standby("early")
    house.sync(house.primary, early)
    early.stop()
    house.write(house.primary)
    wal.pull(house.stanza, house.stanza.server(), restart=True)
    late = house.standby("late")
    house.fail_over(late)
    site = house.at(late)
    wal.pull(site, site.server())
    history = late.data / "pg_wal" / "00000002.history"
    (early.data / "pg_wal" / history.name).write_bytes(history.read_bytes())
    house.configure(early, recovery_target_timeline=1)
    early.start()
    house.promote(early)
    assert house.value(early, "select timeline_id from pg_control_checkpoint()") == 3
    other = house.at(early)
    with pytest.raises(Refused, match=r"timeline 3, after 1; .*timeline 2.*backup full"):
        wal.pull(other, other.server())
    assert take(other).timeline == 3


def test_a_promotion_in_mid_backup_may_be_tried_again(house, monkeypatch):
    """The copy is of the old timeline, the seal of the new one; the next backup is whole.

    Scenario 10: a standby takes over in the middle of a backup.
    """
    standby = house.standby("standby")
    site = house.at(house.primary, standby)
    real = physical.seal.take

    def promoted(*args, **kwargs):
        monkeypatch.undo()
        house.fail_over(standby)
        return real(*args, **kwargs)

    monkeypatch.setattr(physical.seal, "take", promoted)
    with pytest.raises(Transient, match=r"standby promotion in mid-backup; seen: timeline 2"):
        take(site)
    assert site.catalogue.entries() == []
    assert verify(site, take(site).id).verdict == "proven"


def test_a_server_that_is_still_a_standby_may_be_one_that_writes_later(house):
    """It is told so; nothing is archived from it."""
    standby = house.standby("standby")
    site = house.at(house.primary)
    wal.pull(site, site.server(), restart=True)
    with pytest.raises(Transient, match="the server is a standby"):
        wal.pull(site, house.server(standby))
