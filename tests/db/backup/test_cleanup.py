"""Clean up on a real repository: what goes, what stays, and in which order."""

import shutil
from datetime import timedelta

import pytest

from tasks.backup import take, wal
from tasks.backup.cleanup import cleanup
from tasks.control import clock
from tasks.control.errors import Refused
from tasks.recovery.proving.verify import verify
from tasks.repository import keeping
from tasks.repository.pins import Pin
from tasks.repository.stanza import open_stanza


LATER = timedelta(days=90)


@pytest.fixture(scope="module")
def taken(stanza):
    """Take four backups, the second of which is proven."""
    made = [take.take(stanza) for _ in range(4)]
    assert verify(stanza, made[1].id).verdict == "proven"
    return made


@pytest.fixture
def backups(stanza, taken, tmp_path):
    """Put the repository, and what we remember of it, back as they were when the test ends."""
    places = (stanza.catalogue.storage.root, stanza.catalogue.documents.keyring.folder)
    for number, place in enumerate(places):
        shutil.copytree(place, tmp_path / f"aside-{number}")
    yield taken
    for number, place in enumerate(places):
        shutil.rmtree(place)
        shutil.move(tmp_path / f"aside-{number}", place)


def kept(stanza):
    """Return the ids of what stands in the catalogue."""
    return [entry.id for entry in stanza.catalogue.entries()]


def names(stanza):
    """Return the names of all objects."""
    return [item.name for item in stanza.catalogue.storage.objects("main/")]


def test_the_newest_two_and_the_last_proven_one_stay(stanza, backups):
    """However old they are; the rest goes with its data and the WAL that only it needed."""
    first, proven, third, fourth = (each.id for each in backups)
    done = cleanup(stanza, now=clock.now() + LATER)
    assert done.plan.drop == [first]
    assert kept(stanza) == [proven, third, fourth]
    assert not any(first in name for name in names(stanza))
    assert done.freed_bytes > 1_000_000
    assert done.wal_segments > 0
    holds = stanza.catalogue.storage.root / "main" / "holds"
    assert not (holds / f"read-{first}").exists()
    assert verify(stanza, proven).verdict == "proven"


def test_within_the_window_nothing_goes(stanza, backups):
    """Neither a backup nor its WAL."""
    before = names(stanza)
    done = cleanup(stanza)
    assert (done.plan.drop, done.leftovers) == ([], [])
    assert [name for name in before if "/backups/" in name] == [
        name for name in names(stanza) if "/backups/" in name
    ]


def test_a_dry_run_changes_nothing_and_says_what_the_real_one_does(stanza, backups):
    """To the byte."""
    before = names(stanza)
    now = clock.now() + LATER
    dry = cleanup(stanza, dry_run=True, now=now)
    assert names(stanza) == before
    real = cleanup(stanza, now=now)
    assert real.is_dry_run is False
    assert dry.is_dry_run is True
    assert (dry.plan, dry.wal_segments, dry.freed_bytes) == (
        real.plan,
        real.wal_segments,
        real.freed_bytes,
    )


def test_a_pinned_backup_stays_with_its_wal_until_it_is_unpinned(stanza, backups):
    """The reason is told."""
    first = backups[0].id
    stanza.catalogue.pin(Pin(first, "before the upgrade", clock.now()))
    done = cleanup(stanza, now=clock.now() + LATER)
    (decision,) = [each for each in done.plan.decisions if each.backup == first]
    assert decision.keep
    assert decision.reason == "pinned: before the upgrade"
    assert verify(stanza, first).verdict == "proven"
    keeping.unpin(stanza, first)
    done = cleanup(stanza, now=clock.now() + LATER)
    assert done.plan.drop == [first], done.plan.decisions


def test_a_backup_that_is_being_read_stays(stanza, backups):
    """The next cleanup takes it."""
    first = backups[0].id
    hold = stanza.catalogue.storage.hold
    with hold(f"read-{first}", shared=True, stanza="main"):
        done = cleanup(stanza, now=clock.now() + LATER)
        assert first in done.plan.keep
        assert first in kept(stanza)
    assert cleanup(stanza, now=clock.now() + LATER).plan.drop == [first]


def test_a_damaged_document_stays_for_a_person_to_look_at(stanza, backups):
    """Its data stays, too."""
    first = backups[0].id
    path = stanza.catalogue.storage.root / stanza.catalogue.prefix(first) / "backup.json"
    good = path.read_bytes()
    path.write_bytes(good[:-10])
    done = cleanup(stanza, now=clock.now() + LATER)
    assert first in done.plan.keep
    assert any(f"{first}/base.tar.zst" in name for name in names(stanza))
    path.write_bytes(good)


def test_what_a_killed_take_left_is_removed_but_not_while_one_is_taken(stanza, backups):
    """What is in progress has no document either."""
    left = "full-20200101T000000Z"
    stanza.catalogue.storage.put(f"main/backups/{left}/base.tar.zst", b"x" * 1000)
    with stanza.catalogue.storage.hold("backup", shared=False, stanza="main"):
        assert cleanup(stanza).leftovers == []
    assert cleanup(stanza).leftovers == [left]
    assert not any(left in name for name in names(stanza))


def test_wal_of_the_kept_window_has_no_gap_afterwards(stanza, backups):
    """From the oldest kept backup on, every point can be reached."""
    cleanup(stanza, now=clock.now() + LATER)
    found = wal.open_archive(stanza, stanza.server()).kept()
    oldest = stanza.catalogue.backups()[0]
    assert min(found).start <= int(oldest.start_lsn.partition("/")[2], 16)
    wal.pull(stanza, stanza.server())
    assert len(wal.coverage(stanza)) == 1


def test_one_cleanup_at_a_time(stanza, backups):
    """The second is refused by name."""
    with (
        stanza.catalogue.storage.hold("cleanup", shared=False, stanza="main"),
        pytest.raises(Refused, match="cleanup is in use"),
    ):
        cleanup(stanza)


def test_an_empty_repository_is_clean(stanza, tmp_path):
    """Nothing is done and nothing breaks."""
    empty = open_stanza(stanza.settings.model_copy(update={"backup_dir": tmp_path / "empty"}))
    done = cleanup(empty)
    assert (done.plan.decisions, done.leftovers) == ([], [])
