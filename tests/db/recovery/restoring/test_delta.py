"""Delta restores: equal to a clean one byte for byte, whatever was done to the directory before."""

import os
import shutil

import pytest

from tasks.recovery.copies.scratch import Scratch
from tasks.recovery.planning import survey
from tasks.recovery.planning.target import parse
from tasks.recovery.restoring import restored
from tasks.recovery.restoring.build import Build
from tasks.recovery.restoring.work import Work
from tests.db.ledger import found


def tree(path):
    """Return what a directory holds, file by file, and which directories."""
    return {
        str(each.relative_to(path)): each.read_bytes() if each.is_file() else None
        for each in path.rglob("*")
        if each.name != "backup_manifest"  # of a chain it holds the time at which it was made
    }


def built(scene, name, target, old=None):
    """Make the files of a copy, and return its data directory."""
    home = scene.stanza.home
    place = Scratch(scene.copies.folder / name, home.owner, home.programs, {}, old)
    work = Work(place, place.path / "there", name, "20261124T000000Z")
    work.begin()
    Build(
        scene.stanza.catalogue,
        survey.plan(scene.stanza, parse(target)),
        work,
        scene.stanza.home.path,
    ).run(lambda *_: None)
    return place.data


def dirty(data):
    """Do to a data directory whatever may have been done to it."""
    files = sorted(
        each for each in (data / "base").rglob("*") if each.is_file() and each.stat().st_size
    )
    files[0].write_bytes(b"")
    files[1].write_bytes(files[1].read_bytes() + b"more")
    body = bytearray(files[2].read_bytes())
    body[len(body) // 2] ^= 1
    files[2].write_bytes(body)
    files[3].unlink()
    stat = files[4].stat()
    files[4].write_bytes(bytes(len(files[4].read_bytes())))
    os.utime(files[4], ns=(stat.st_atime_ns, stat.st_mtime_ns))
    files[5].unlink()
    files[5].symlink_to("/etc/passwd")
    (data / "base" / "stranger").write_text("x")
    (data / "pg_control.lost").mkdir()
    (data / "global" / "pg_control").unlink()


@pytest.fixture
def clean(scene):
    """Take away what a test has made."""
    yield
    for path in scene.copies.folder.iterdir():
        shutil.rmtree(path)


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("number", [0, 1], ids=["full", "chain"])
def test_f13_over_a_dirtied_directory_it_equals_a_clean_one(scene, number):
    """F13: changed, cut, lengthened, missing, zeroed with its old time, a link, and strangers."""
    target = scene.backups[number].id
    wanted = built(scene, "clean", target)
    old = built(scene, "old", target)
    dirty(old)
    made = built(scene, "delta", target, old=old)
    assert tree(made) == tree(wanted)
    shared = [each for each in made.rglob("*") if each.is_file() and each.stat().st_nlink > 1]
    every = [each for each in made.rglob("*") if each.is_file()]
    if number == 0:
        assert 0.9 * len(every) < len(shared) < len(every) - 4


@pytest.mark.usefixtures("clean")
def test_a_copy_is_restored_over_an_older_one(scene):
    """It is exact, and what was there is used up."""
    first = scene.copies.restore("name:after full", promote=True)
    restored.stop(first)
    done = scene.copies.restore("latest", delta=True)
    assert found(done.server.database("hl7")) == scene.ledger.rows(lambda _: True)
    assert done.previous is None
    assert {path.name for path in scene.copies.folder.iterdir()} == {"copy", "copy.restored"}
    done.cluster.stop("immediate")
