"""The unfinished segment: one object, replaced, encrypted like the others, and checked."""

import struct
from datetime import UTC, datetime, timedelta

import pyrage
import pytest
from pydantic import SecretStr

from tasks.control.errors import Corrupt, Refused
from tasks.postgres.lsn import Segment
from tasks.repository import partial
from tasks.repository.cipher import Cipher
from tasks.repository.local import LocalStorage
from tasks.repository.stream import Vault
from tasks.repository.wal import Archive


SIZE = 1 << 20

ONE = Segment(1, 1, SIZE)

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)


def contents(segment, length, identifier=7):
    """Make the bytes of a segment that is written up to a length."""
    header = struct.pack("<HHIQI4xQII", 0xD118, 2, 1, segment.start, 0, identifier, SIZE, 8192)
    written = header + b"w" * (length - len(header))
    return written + bytes(SIZE - len(written))


@pytest.fixture
def archive(tmp_path):
    """Open an empty archive of the cluster 7."""
    return Archive(Vault(LocalStorage(tmp_path)), "main", "7", SIZE)


def test_what_is_kept_comes_back_with_how_far_it_reaches(archive):
    """And when it was kept."""
    kept = partial.keep(archive, ONE, contents(ONE, 5000), NOW)
    assert partial.listed(archive) == [kept]
    assert (kept.segment, kept.position, kept.kept_at) == (ONE, SIZE + 5000, NOW)
    assert kept.reaches == "0/101388"
    assert partial.fetch(archive, kept) == contents(ONE, 5000)


def test_it_is_replaced_each_time(archive):
    """There is one."""
    for seconds in range(3):
        now = NOW + timedelta(seconds=seconds)
        kept = partial.keep(archive, ONE, contents(ONE, 5000 + seconds), now)
    assert partial.listed(archive) == [kept]


def test_an_empty_segment_is_not_kept(archive):
    """Nothing was received of it yet."""
    assert partial.keep(archive, ONE, bytes(SIZE), NOW) is None
    assert partial.keep(archive, ONE, b"", NOW) is None
    assert partial.listed(archive) == []


def test_it_goes_when_its_segment_is_archived(archive):
    """And not before."""
    partial.keep(archive, ONE, contents(ONE, 5000), NOW)
    partial.forget(archive, ONE)
    assert len(partial.listed(archive)) == 1
    partial.forget(archive, ONE.next())
    assert partial.listed(archive) == []


def test_of_two_that_a_crash_left_the_newest_counts(archive):
    """The next one replaces both."""
    old = partial.keep(archive, ONE, contents(ONE, 5000), NOW)
    data = archive.vault.storage.get(old.object)
    new = partial.keep(archive, ONE, contents(ONE, 6000), NOW + timedelta(seconds=1))
    archive.vault.storage.put(old.object, data)
    assert partial.listed(archive)[-1] == new


def test_wal_of_another_cluster_or_segment_is_not_kept(archive):
    """As with whole segments."""
    with pytest.raises(Refused, match="WAL of another cluster"):
        partial.keep(archive, ONE, contents(ONE, 5000, identifier=8), NOW)
    with pytest.raises(Corrupt, match="not that WAL segment"):
        partial.keep(archive, ONE.next(), contents(ONE, 5000), NOW)


def test_a_damaged_one_is_named(archive):
    """It is not filled up with something else."""
    kept = partial.keep(archive, ONE, contents(ONE, 5000), NOW)
    archive.vault.storage.put(kept.object, archive.vault.storage.get(kept.object)[:-1])
    with pytest.raises(Corrupt, match=f"other contents; seen: {ONE.name}"):
        partial.fetch(archive, kept)


def test_it_is_encrypted_where_everything_is(tmp_path):
    """It holds the newest messages of all."""
    identity = pyrage.x25519.Identity.generate()
    cipher = Cipher((str(identity.to_public()),), identity=SecretStr(str(identity)))
    archive = Archive(Vault(LocalStorage(tmp_path), cipher), "main", "7", SIZE)
    kept = partial.keep(archive, ONE, contents(ONE, 5000), NOW)
    assert kept.object.endswith(".zst.age")
    assert archive.vault.storage.get(kept.object).startswith(b"age-encryption.org/v1")
    assert partial.fetch(archive, kept) == contents(ONE, 5000)
