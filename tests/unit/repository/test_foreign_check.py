"""What nobody wrote: nothing but regular files is opened, and everything else is named."""

import os
import socket
from dataclasses import replace
from datetime import timedelta

import pytest

from tasks.control.errors import Corrupt
from tasks.repository.catalogue import Catalogue
from tasks.repository.check import check
from tasks.repository.foreign_check import is_stray
from tasks.repository.local import LocalStorage
from tasks.repository.storage import Foreign


ID = "full-20261123T020000Z"


def fifo(path):
    """Make a FIFO that nobody writes to: whoever opens it for reading waits for ever."""
    os.mkfifo(path)


def endless(path):
    """Make a link to a device that never ends."""
    path.symlink_to("/dev/zero")


def listening(path):
    """Make a socket."""
    with socket.socket(socket.AF_UNIX) as one:
        here = os.open(path.parent, os.O_RDONLY)
        one.bind(f"/proc/self/fd/{here}/{path.name}")
        os.close(here)


def directory(path):
    """Make a directory."""
    path.mkdir()


THINGS = {
    "a FIFO": fifo,
    "a symbolic link": endless,
    "a socket": listening,
    "a directory": directory,
}


@pytest.fixture
def kept(catalogue, backup):
    """Keep a backup with a proof's folder and a pin's."""
    catalogue.claim("7", 16 << 20)
    made = replace(backup(ID), type="snapshot")
    for item in made.objects:
        catalogue.storage.put(f"{catalogue.prefix(made.id)}{item.name}", b"x" * item.stored_bytes)
    catalogue.add(made)
    catalogue.storage.put("main/pins/.keep", b"")
    return catalogue


def looked(catalogue):
    """Check by names and sizes; return damage and notes by subject."""
    found = check(catalogue, quick=True)
    return ({each.subject: each.said for each in told} for told in (found.damage, found.notes))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", THINGS)
@pytest.mark.parametrize("place", ["base.tar.zst", "backup.json"])
def test_what_is_no_file_is_not_opened(kept, kind, place):
    """In the place of an object or a document: it is missing, and what stands there is named."""
    path = kept.storage.root / kept.prefix(ID) / place
    path.unlink()
    THINGS[kind](path)
    name = f"{kept.prefix(ID)}{place}"
    with pytest.raises(Corrupt, match=f"no regular file; seen: {name} is {kind}; expected: a reg"):
        kept.storage.open(name)
    assert not kept.storage.exists(name)
    assert name not in [item.name for item in kept.storage.objects("main/")]
    damage, _ = looked(kept)
    assert ID in damage
    if kind != "a directory":
        assert damage[name].startswith(f"is {kind}, which is not")


@pytest.mark.timeout(20)
def test_a_file_that_is_swapped_for_a_link_meanwhile_is_not_followed(kept, monkeypatch):
    """Between the look at it and its opening."""
    path = kept.storage.root / kept.prefix(ID) / "base.tar.zst"
    real = os.open

    def late(name, flags, *more):
        path.unlink()
        endless(path)
        return real(name, flags, *more)

    monkeypatch.setattr(os, "open", late)
    with pytest.raises(Corrupt, match="cannot be opened"):
        kept.storage.open(f"{kept.prefix(ID)}base.tar.zst")


def test_a_backup_behind_a_link_is_named(kept, tmp_path):
    """It would be absent without a word: links are not followed."""
    folder = kept.storage.root / kept.prefix(ID)
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    damage, _ = looked(kept)
    assert damage == {f"main/backups/{ID}": "is a symbolic link, which is not followed"}
    assert kept.entries() == []


def test_a_repository_behind_a_link_is_as_good_as_any(kept, tmp_path):
    """`BACKUP_DIR` may lead anywhere."""
    (tmp_path / "link").symlink_to(kept.storage.root)
    there = Catalogue(LocalStorage(tmp_path / "link"), "main", kept.keyring)
    assert there.backups() == kept.backups()
    for found in looked(there):
        assert set(found) <= {"main/pins/.keep"}
    there.storage.put("main/pins/x", b"1")
    assert kept.storage.get("main/pins/x") == b"1"


@pytest.mark.parametrize(
    "name",
    [
        ".DS_Store",
        "notes.txt",
        "main/.DS_Store",
        "main/notes.txt",
        "main/backups/notes.txt",
        "main/backups/lost+found/x",
        "main/pins/.DS_Store",
        "main/pins/notes.json",
        "main/legal/held/.DS_Store",
        "main/journal/00000/00000001.json~",
        "main/wal/notes.txt",
        "main/wal-partial/lost+found/x",
    ],
)
def test_a_file_that_nobody_wrote_is_noted_by_its_name(kept, name):
    """Nothing is a pin, a hold, an entry or a backup for its place alone."""
    path = kept.storage.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    damage, notes = looked(kept)
    assert damage == {}
    assert set(notes) == {"main/pins/.keep", name}
    assert (kept.pins.ids(), kept.legal.ids()) == (set(), set())


def test_what_a_disk_holds_at_its_top_is_noted(kept):
    """Another stanza is none of it."""
    (kept.storage.root / "lost+found").mkdir(mode=0o700)
    Catalogue(kept.storage, "other", kept.keyring).claim("8", 16 << 20)
    assert kept.storage.foreign("main") == [Foreign("lost+found", "a directory")]
    _, notes = looked(kept)
    assert "lost+found" in notes


@pytest.mark.parametrize(
    ("name", "is_noted"),
    [(".DS_Store", True), ("base.tar.zst~", True), ("base.tar.zst", False), ("more.tar", False)],
)
def test_only_what_could_stand_for_an_object_is_damage_in_a_backup(kept, name, is_noted):
    """An editor's copy is none."""
    path = kept.storage.root / kept.prefix(ID) / name
    path.write_bytes(b"x" * 10)
    damage, notes = looked(kept)
    assert (ID in notes) == is_noted
    assert (ID in damage) == (name == "more.tar")
    assert is_stray(name) == is_noted


def test_a_file_among_proofs_is_none(kept, proof):
    """An editor's copy of one does not count as the newest."""
    made = proof(kept.get(ID), at=kept.get(ID).started_at + timedelta(hours=1))
    kept.record(made)
    folder = kept.storage.root / kept.prefix(ID) / "proofs"
    (folder / f"{made.name}~").write_bytes(b"x")
    (folder / ".DS_Store").write_bytes(b"x")
    assert kept.last_proof(ID) == made
    damage, notes = looked(kept)
    assert damage == {}
    assert ID in notes
