"""What can be read of an object that is not what was kept, and how that is told."""

import random
import tarfile
from types import SimpleNamespace

import pyrage
import pytest
from pydantic import SecretStr

from tasks.control.errors import Corrupt, WrongKey
from tasks.postgres.owner import owner_of
from tasks.recovery.copies.salvage import NAMED, differing, salvage, told
from tasks.recovery.copies.scratch import Scratch
from tasks.repository.catalogue import Catalogue
from tasks.repository.cipher import PLAIN, Cipher
from tasks.repository.keys import Keyring
from tasks.repository.local import LocalStorage
from tests.unit.recovery.copies.test_unpack import info, tar


BACKUP = SimpleNamespace(id="full-20261123T020000Z", server_version=180006)

FOUND = Corrupt("an object has other contents", do="nothing")

NOISE = random.Random(1).randbytes(400_000)
"""It is not compressed, so that a bit of it changes just that byte."""

OTHER = NOISE[::-1]


def cipher():
    """Return keys of our own."""
    identity = pyrage.x25519.Identity.generate()
    return Cipher((str(identity.to_public()),), identity=SecretStr(str(identity)))


@pytest.fixture
def place(tmp_path):
    """Return a scratch directory of our own."""
    (tmp_path / "copy").mkdir()
    return Scratch(tmp_path / "copy", owner_of(tmp_path), tmp_path)


@pytest.fixture
def spoiled(tmp_path, place):
    """Return what stores an object, lets somebody spoil it, and salvages it."""

    def store_spoil_and_salvage(data, spoil, key=PLAIN, name="base.tar.zst", reader=None):
        storage = LocalStorage(tmp_path / "r")
        catalogue = Catalogue(storage, "main", Keyring(tmp_path / "k"), key)
        kept = []
        with catalogue.vault.storing(catalogue.prefix(BACKUP.id), name, kept) as sink:
            sink.write(data)
        path = tmp_path / "r" / f"{catalogue.prefix(BACKUP.id)}{kept[0].name}"
        spoil(path)
        catalogue = Catalogue(storage, "main", Keyring(tmp_path / "k"), reader or key)
        return salvage(catalogue, BACKUP, kept[0], place, FOUND)

    return store_spoil_and_salvage


def cut(share):
    """Return what cuts an object off."""

    def spoil(path):
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return spoil


def flip(share):
    """Return what changes one bit of an object."""

    def spoil(path):
        data = bytearray(path.read_bytes())
        data[int(len(data) * share)] ^= 1
        path.write_bytes(data)

    return spoil


MEMBERS = (info("base", tarfile.DIRTYPE), ("base/1", NOISE), ("base/2", OTHER), ("last", b"x"))


@pytest.mark.parametrize("key", [PLAIN, cipher()], ids=["plain", "age"])
def test_a_file_that_is_cut_short_is_kept_as_it_is(spoiled, place, key):
    """What comes before it is whole, what comes after it is lost."""
    said = spoiled(tar(*MEMBERS), cut(0.75), key)
    assert (place.data / "base" / "1").read_bytes() == NOISE
    rest = (place.data / "base" / "2").read_bytes()
    assert OTHER.startswith(rest)
    assert 50_000 < len(rest) < len(OTHER)
    assert not (place.data / "last").exists()
    assert said.startswith(f"{BACKUP.id}: an object has other contents; ")
    assert "bytes could be read" in said
    assert "next:" not in said


def test_a_changed_bit_of_what_is_encrypted_ends_it(spoiled, place):
    """The age format cannot be read on after a chunk that was changed."""
    spoiled(tar(*MEMBERS), flip(0.75), cipher())
    assert (place.data / "base" / "1").read_bytes() == NOISE
    assert len((place.data / "base" / "2").read_bytes()) < len(NOISE)


def test_a_changed_bit_of_what_is_not_changes_one_byte(spoiled, place):
    """All the rest is there, up to the checksum at the end."""
    spoiled(tar(*MEMBERS, ("more", b"y" * 9000)), flip(0.75))
    read = (place.data / "base" / "2").read_bytes()
    assert sum(a != b for a, b in zip(read, OTHER, strict=True)) == 1
    assert (place.data / "last").read_bytes() == b"x"


def test_a_broken_header_costs_one_file(spoiled, place):
    """What follows is taken from the next header on; a directory is made without its own."""
    made = bytearray(tar(info("base", tarfile.DIRTYPE), ("base/1", NOISE), ("base/2", OTHER)))
    made[0] ^= 0xFF
    made[512] ^= 0xFF
    spoiled(bytes(made), lambda _: None, name="base.tar")
    assert not (place.data / "base" / "1").exists()
    assert (place.data / "base" / "2").read_bytes() == OTHER


def test_a_forged_tar_writes_nowhere_else(spoiled, place):
    """What leads out is passed over."""
    spoiled(tar(("../outside", b"x"), ("inside", b"x")), lambda _: None)
    assert not (place.path / "outside").exists()
    assert (place.data / "inside").exists()


def test_what_is_missing_is_lost(spoiled):
    """All of it, and that is said."""
    assert spoiled(tar(*MEMBERS), lambda path: path.unlink()).endswith("; all of it is lost")


def test_a_bad_manifest_is_left_out(spoiled, place):
    """One that is half right would name the wrong files."""
    place.make(place.data)
    (place.data / "backup_manifest").write_bytes(b"{")
    assert spoiled(b"{}", flip(0.5), name="backup_manifest.zst").endswith("; it is left out")
    assert not (place.data / "backup_manifest").exists()
    (said,) = differing(BACKUP, place)
    assert "nobody can tell which files differ" in said


def test_a_wrong_key_says_nothing_against_an_object(spoiled):
    """Nothing is lost; it is only closed."""
    with pytest.raises(WrongKey):
        spoiled(tar(*MEMBERS), lambda _: None, cipher(), reader=cipher())


def test_only_some_files_are_named():
    """The others are counted."""
    lines = [f'"base/1/{n}" is present in the manifest but not on disk' for n in range(NAMED + 5)]
    said = told(BACKUP, lines)
    assert len(said) == NAMED + 1
    assert said[-1] == f"{BACKUP.id}: 5 more files"
    assert len(told(BACKUP, lines[:3])) == 3
