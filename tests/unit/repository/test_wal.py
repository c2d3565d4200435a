"""Archived WAL: only whole segments of this cluster, never two versions, gaps in plain sight."""

import struct
from dataclasses import replace
from itertools import pairwise

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from tasks.control.errors import Corrupt, Refused
from tasks.postgres.lsn import Segment
from tasks.repository.cipher import Cipher
from tasks.repository.local import LocalStorage
from tasks.repository.stream import Vault
from tasks.repository.wal import Archive, intervals, needed


SIZE = 1 << 20

ONE = Segment(1, 1, SIZE)


def contents(segment, identifier=7, fill=b"w", *, flags=2, timeline=None):
    """Make the bytes of a segment, with the header that PostgreSQL writes."""
    header = struct.pack(
        "<HHIQI4xQII",
        0xD118,
        flags,
        timeline or segment.timeline,
        segment.start,
        0,
        identifier,
        SIZE,
        8192,
    )
    return header + fill * (SIZE - len(header))


@pytest.fixture
def archive(tmp_path):
    """Open an empty archive of the cluster 7."""
    return Archive(Vault(LocalStorage(tmp_path)), "main", "7", SIZE)


def test_a_segment_comes_back_as_it_was(archive):
    """It is found by its name, and smaller than it was."""
    assert archive.store(ONE, contents(ONE), None)
    kept = archive.kept()[ONE]
    assert archive.fetch(kept) == contents(ONE)
    assert kept.stored_bytes < SIZE / 10


def test_the_same_segment_twice_is_once(archive):
    """A pull that is repeated after a crash brings nothing new."""
    archive.store(ONE, contents(ONE), None)
    assert not archive.store(ONE, contents(ONE), archive.kept()[ONE])
    assert len(archive.kept()) == 1


def test_other_contents_under_a_known_name_are_refused(archive):
    """Two servers that archive into one place would destroy each other's history.

    F24 of the failures that others met: an archive in which segments were overwritten.
    """
    archive.store(ONE, contents(ONE), None)
    with pytest.raises(Refused, match=f"archived already, with other contents; seen: {ONE.name}"):
        archive.store(ONE, contents(ONE, fill=b"v"), archive.kept()[ONE])
    assert archive.fetch(archive.kept()[ONE]) == contents(ONE)


def test_wal_of_another_cluster_is_refused(archive):
    """Its system identifier stands in its header."""
    with pytest.raises(
        Refused, match=r"WAL of another cluster; .* system identifier 8; expected: 7"
    ):
        archive.store(ONE, contents(ONE, identifier=8), None)


@pytest.mark.parametrize(
    "data",
    [
        contents(ONE)[:-1],
        contents(ONE) + b"w",
        contents(ONE.next()),
        contents(ONE, flags=0),
        contents(ONE, timeline=2),
        b"\0" * SIZE,
    ],
    ids=["short", "long", "another segment", "no long header", "a later timeline", "zeros"],
)
def test_what_is_not_that_segment_is_not_archived(archive, data):
    """PostgreSQL itself would not replay it."""
    with pytest.raises(Corrupt, match=ONE.name):
        archive.store(ONE, data, None)
    assert archive.kept() == {}


def test_a_segment_of_an_older_timeline_may_begin_a_new_one(archive):
    """After a promotion the first segment of the new timeline is partly the old one's."""
    second = Segment(2, 1, SIZE)
    assert archive.store(second, contents(second, timeline=1), None)


def test_a_segment_that_was_damaged_is_named(archive):
    """One flipped bit, a cut, or another frame behind it."""
    archive.store(ONE, contents(ONE), None)
    kept = archive.kept()[ONE]
    path = archive.vault.storage.root / kept.object
    good = path.read_bytes()
    flipped = good[:40] + bytes([good[40] ^ 1]) + good[41:]
    for data in (flipped, good[:-2], good + good, b""):
        path.write_bytes(data)
        with pytest.raises(Corrupt, match=f"other contents; seen: {ONE.name}"):
            archive.fetch(kept)


def test_a_segment_that_is_missing_is_named(archive):
    """The object that should be there is told."""
    archive.store(ONE, contents(ONE), None)
    kept = archive.kept()[ONE]
    archive.vault.storage.delete(kept.object)
    with pytest.raises(Corrupt, match=f"no main/wal/7/00000001/{ONE.name}"):
        archive.fetch(kept)


def test_a_stranger_in_the_archive_is_passed_over(archive, caplog):
    """It is told, and must not keep WAL from being archived."""
    archive.store(ONE, contents(ONE), None)
    archive.vault.storage.put("main/wal/7/00000001/notes.txt", b"x")
    assert set(archive.kept()) == {ONE}
    assert "not a WAL segment, passed over: main/wal/7/00000001/notes.txt" in caplog.text


def test_two_copies_of_a_segment_are_named(archive):
    """They differ by their hashes, and nobody knows which one is right."""
    for digit in "ab":
        archive.vault.storage.put(f"main/wal/7/00000001/{ONE.name}-{digit * 64}.zst", b"x")
    with pytest.raises(Corrupt, match=f"two copies of a segment; seen: {ONE.name}"):
        archive.kept()


def spans(segments):
    """Return intervals as numbers."""
    return [(each.first.timeline, each.first.number, each.last.number) for each in segments]


def test_intervals_end_at_gaps_and_at_timelines():
    """What lies between two of them cannot be reached."""
    numbers = [(1, 1), (1, 2), (1, 4), (2, 5), (2, 6)]
    found = intervals(Segment(timeline, number, SIZE) for timeline, number in reversed(numbers))
    assert spans(found) == [(1, 1, 2), (1, 4, 4), (2, 5, 6)]
    assert [each.count for each in found] == [2, 1, 2]
    assert intervals([]) == []


@given(st.sets(st.integers(0, 60)))
def test_intervals_hold_every_segment_once(numbers):
    """Nothing is added and nothing left out, and two of them never touch."""
    found = intervals(Segment(1, number, SIZE) for number in numbers)
    held = [segment.number for each in found for segment in needed(each.first, each.last)]
    assert held == sorted(numbers)
    assert all(a.last.number + 1 < b.first.number for a, b in pairwise(found))


HISTORY = b"1\t0/5000148\tno recovery target specified\n"


def test_a_history_comes_back_as_it_was(archive):
    """Beside the WAL, under a name that holds its hash, and no stranger among the segments."""
    assert archive.store_history(2, HISTORY)
    assert not archive.store_history(2, HISTORY)
    assert archive.fetch_history(2) == HISTORY
    assert archive.histories()[2].parent.position == 0x5000148
    (name,) = [item.name for item in archive.vault.storage.objects("main/wal/7/")]
    assert name.startswith("main/wal/7/00000002/00000002.history-")
    assert archive.kept() == {}


def test_another_history_of_a_known_timeline_is_refused(archive):
    """F11: two standbys were promoted, and only one of them is the right one."""
    archive.store_history(2, HISTORY)
    with pytest.raises(Refused, match=r"another history .*seen: 00000002\.history"):
        archive.store_history(2, HISTORY.replace(b"148", b"150"))
    with pytest.raises(Corrupt, match="no history of a timeline"):
        archive.store_history(3, b"nonsense")
    assert archive.fetch_history(2) == HISTORY


def test_a_history_that_is_damaged_or_missing_is_named(archive):
    """PostgreSQL would not recover along it."""
    with pytest.raises(Corrupt, match=r"history is missing; seen: no 00000002\.history"):
        archive.fetch_history(2)
    archive.store_history(2, HISTORY)
    (item,) = archive.vault.storage.objects("main/wal/7/")
    archive.vault.storage.put(item.name, archive.vault.storage.get(item.name)[:-1])
    with pytest.raises(Corrupt, match=r"history has other contents; seen: 00000002\.history"):
        archive.histories()


def test_two_histories_of_a_timeline_are_named(archive):
    """Nobody knows which one is right."""
    for digit in "ab":
        name = f"main/wal/7/00000002/00000002.history-{digit * 64}.zst"
        archive.vault.storage.put(name, b"x")
    with pytest.raises(Corrupt, match=r"two histories of a timeline; seen: 00000002\.history"):
        archive.histories()


def test_a_history_is_encrypted_where_everything_is(tmp_path):
    """Who cannot read may still see that it is the same."""
    identity = pyrage.x25519.Identity.generate()
    keeps = Cipher((str(identity.to_public()),))
    archive = Archive(Vault(LocalStorage(tmp_path), keeps), "main", "7", SIZE)
    assert archive.store_history(2, HISTORY)
    assert not archive.store_history(2, HISTORY)
    with pytest.raises(Refused, match="no identity is here"):
        archive.histories()
    reads = replace(keeps, identity=SecretStr(str(identity)))
    assert replace(archive, vault=Vault(archive.vault.storage, reads)).histories()[2].parent
