"""Whatever is damaged in the repository is found, with exit code 4 and the object's name."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasks.control.errors import Corrupt
from tasks.recovery.proving.verify import verify


def flip(path):
    """Change one bit in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path):
    """Cut off the last third."""
    os.truncate(path, path.stat().st_size * 2 // 3)


def extend(path):
    """Add some bytes at the end."""
    with path.open("ab") as file:
        file.write(b"more")


DAMAGES = {"flip": flip, "truncate": truncate, "extend": extend, "delete": Path.unlink}


@contextmanager
def spared(stanza):
    """Put the repository back as it was when the block ends."""
    root = stanza.catalogue.storage.root
    aside = root.with_name("aside")
    shutil.copytree(root, aside)
    try:
        yield root
    finally:
        shutil.rmtree(root)
        aside.rename(root)


def segments(root):
    """Return the archived segments, in order."""
    return sorted(root.glob("main/wal/*/*/*.zst"))


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["base.tar.zst", "backup_manifest.zst"])
def test_a_damaged_object_is_found_and_named(stanza, backup, name, damage):
    """The verdict is failed, and the first tier says which object it was."""
    with spared(stanza) as root:
        DAMAGES[damage](root / stanza.catalogue.prefix(backup.id) / name)
        proof = verify(stanza, backup.id)
    assert proof.verdict == "failed"
    assert name in proof.failed[0].seen
    assert proof.failed[0].tier == "objects"


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_segment_is_found_and_named(stanza, backup, damage):
    """WAL that the backup needs is read back like its objects."""
    with spared(stanza) as root:
        path = segments(root)[-1]
        DAMAGES[damage](path)
        proof = verify(stanza, backup.id)
    assert proof.verdict == "failed"
    assert path.name[:24] in proof.failed[0].seen


def test_segments_that_were_swapped_are_found(stanza, backup):
    """The contents of one segment under the name of another are not taken for it."""
    with spared(stanza) as root:
        one, other = segments(root)[-2:]
        data = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(data)
        proof = verify(stanza, backup.id)
    assert proof.verdict == "failed"
    assert other.name[:24] in proof.failed[0].seen


def test_objects_that_were_swapped_are_found(stanza, backup):
    """The manifest under the name of the base is not taken for it."""
    with spared(stanza) as root:
        folder = root / stanza.catalogue.prefix(backup.id)
        one, other = folder / "base.tar.zst", folder / "backup_manifest.zst"
        data = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(data)
        proof = verify(stanza, backup.id)
    assert proof.verdict == "failed"
    assert "base.tar.zst" in proof.failed[0].seen
    assert "backup_manifest.zst" in proof.failed[0].seen


def test_an_edited_document_is_not_believed(stanza, backup):
    """A seal whose counts were changed does not hold its signature."""
    with spared(stanza) as root:
        path = root / stanza.catalogue.prefix(backup.id) / "backup.json"
        path.write_text(path.read_text().replace('"rows": ', '"rows": 1', 1))
        with pytest.raises(Corrupt, match="a document was edited"):
            verify(stanza, backup.id)


def test_the_command_line_ends_with_4_and_names_the_object(stanza, backup):
    """What a script sees is the exit code, what a person sees is the name."""
    with spared(stanza) as root:
        flip(root / stanza.catalogue.prefix(backup.id) / "base.tar.zst")
        done = subprocess.run(
            [Path(sys.executable).with_name("hl7ops"), "verify", backup.id, "--json"],
            env={**os.environ, "HL7OPS_HOME": str(stanza.home.path)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 4
    assert '"verdict": "failed"' in done.stdout
    assert "base.tar.zst" in done.stderr


def test_a_backup_without_damage_is_proven(stanza, backup):
    """After all of that, the repository as it was gives a proof in every tier."""
    proof = verify(stanza, backup.id)
    assert proof.verdict == "proven"
    assert {check.tier for check in proof.checks} == {
        "objects",
        "manifest",
        "boot",
        "structure",
        "contents",
    }
    assert not list(stanza.home.scratch.iterdir())
