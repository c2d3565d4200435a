"""Objects in one pass: what comes out is what went in, or the object is named."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.control.errors import Corrupt
from tasks.repository.local import LocalStorage
from tasks.repository.stream import Vault


TEXT = b"every byte of it counts " * 10_000


@pytest.fixture
def storage(tmp_path):
    """Open an empty storage."""
    return LocalStorage(tmp_path)


def keep(storage, data, name="a.zst"):
    """Store some bytes in uneven pieces; return what was noted of them."""
    kept = []
    with Vault(storage).storing("b/", name, kept) as sink:
        for at in range(0, len(data), 70_001):
            sink.write(data[at : at + 70_001])
    (item,) = kept
    return item


def read(storage, item):
    """Read an object to its end."""
    with Vault(storage).reading("b/", item) as source:
        return source.read()


def test_what_is_noted_is_what_was_stored(storage):
    """Sizes and hash are those of the file, which is smaller than what went in."""
    item = keep(storage, TEXT)
    stored = (storage.root / "b" / "a.zst").read_bytes()
    assert (item.name, item.raw_bytes, item.stored_bytes) == ("a.zst", len(TEXT), len(stored))
    assert item.sha256 == hashlib.sha256(stored).hexdigest()
    assert len(stored) < len(TEXT) / 100


@given(st.binary(max_size=5000), st.integers(1, 100))
def test_whatever_goes_in_comes_out(tmp_path_factory, data, times):
    """Also nothing at all."""
    storage = LocalStorage(tmp_path_factory.mktemp("stream"))
    assert read(storage, keep(storage, data * times)) == data * times


def test_an_object_that_breaks_off_is_not_noted(storage):
    """Neither is it stored."""
    kept = []

    def breaks_off():
        with Vault(storage).storing("b/", "a.zst", kept) as sink:
            sink.write(TEXT)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        breaks_off()
    assert kept == []
    assert storage.objects("b/") == []


def flipped(data, at):
    """Flip one bit."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


DAMAGE = {
    "flipped in the header": lambda data: flipped(data, 2),
    "flipped in the middle": lambda data: flipped(data, len(data) // 2),
    "flipped in the last byte": lambda data: flipped(data, len(data) - 1),
    "cut short": lambda data: data[:-1],
    "cut to half": lambda data: data[: len(data) // 2],
    "emptied": lambda _: b"",
    "longer": lambda data: data + b"\0",
    "written twice": lambda data: data + data,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_an_object_that_was_damaged_is_named(storage, damage):
    """Whatever happened to it, leaving the block finds out."""
    item = keep(storage, TEXT)
    path = storage.root / "b" / "a.zst"
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    with pytest.raises(Corrupt, match=r"a\.zst"):
        read(storage, item)


def test_damage_behind_what_was_read_is_found_all_the_same(storage):
    """A tar ends before its file does."""
    item = keep(storage, TEXT)
    path = storage.root / "b" / "a.zst"
    path.write_bytes(path.read_bytes() + b"tail")
    with pytest.raises(Corrupt, match=r"a\.zst"), Vault(storage).reading("b/", item) as source:
        source.read(10)


def test_another_object_of_the_same_size_is_found(storage):
    """Two objects that changed places are each not what was kept."""
    item = keep(storage, TEXT)
    with pytest.raises(Corrupt, match="an object has other contents"):
        read(storage, replace(item, sha256=hashlib.sha256(b"other").hexdigest()))
