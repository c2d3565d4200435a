"""A directory as storage: whole objects or none, held names, and what a disk may say."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.control.errors import Corrupt, OpsError, Refused, Transient
from tasks.repository.local import LocalStorage
from tasks.repository.storage import Stored


@pytest.fixture
def storage(tmp_path):
    """Open an empty storage."""
    return LocalStorage(tmp_path / "repository")


def test_an_object_is_there_when_it_is_whole(storage):
    """While it is written nothing stands under its name."""
    with storage.write("main/a/one") as file:
        file.write(b"12345")
        assert not storage.exists("main/a/one")
        assert storage.objects("main/") == []
        assert len(storage.leftovers("main/")) == 1
    assert storage.get("main/a/one") == b"12345"
    assert storage.objects("main/") == [Stored("main/a/one", 5)]
    assert storage.leftovers("main/") == []


def interrupted(storage):
    """Begin to write an object, and break off."""
    with storage.write("main/one") as file:
        file.write(b"new")
        raise KeyboardInterrupt


def test_a_write_that_breaks_leaves_nothing(storage):
    """Neither the name nor a part of the object."""
    with pytest.raises(KeyboardInterrupt):
        interrupted(storage)
    assert storage.objects("main/") == storage.leftovers("main/") == []


def test_a_write_that_breaks_leaves_what_was_there(storage):
    """The name keeps its old contents until the new ones are whole."""
    storage.put("main/one", b"old")
    with pytest.raises(KeyboardInterrupt):
        interrupted(storage)
    assert storage.get("main/one") == b"old"


def test_what_a_killed_write_left_is_listed_as_a_leftover(storage):
    """A part of an object is never taken for one."""
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from tasks.repository.local import LocalStorage\n"
        "with LocalStorage(Path(sys.argv[1])).write('main/one') as file:\n"
        "    file.write(b'1' * 100_000)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(storage.root)], check=False)
    assert storage.objects("main/") == []
    (left,) = storage.leftovers("main/")
    storage.delete(left.name)
    assert storage.leftovers("main/") == []


def test_only_the_owner_may_look_inside(storage):
    """Backups hold the data of patients."""
    storage.put("main/a/one", b"1")
    assert [path.stat().st_mode & 0o077 for path in (storage.root, storage.root / "main")] == [0, 0]


def test_an_object_that_is_missing_is_named(storage):
    """It is a failed proof, not a broken program."""
    with pytest.raises(Corrupt, match="an object is missing from the repository; seen: no main/x"):
        storage.get("main/x")


def test_a_name_cannot_lead_out(storage):
    """A damaged document must not make us read or remove other files."""
    for act in (storage.get, storage.delete, storage.exists):
        with pytest.raises(OpsError, match="not a name of an object"):
            act("main/../../etc/passwd")


def test_deleting_takes_empty_directories_along(storage):
    """A removed backup leaves no trace, and what is absent already is fine."""
    storage.put("main/backups/b/one", b"1")
    storage.put("main/other", b"1")
    storage.delete("main/backups/b/one")
    storage.delete("main/backups/b/one")
    assert sorted(path.name for path in (storage.root / "main").iterdir()) == ["other"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_refused_with_what_to_do(storage, monkeypatch, code):
    """Trying again would not help."""

    def full(_descriptor):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refused, match="the repository is full; seen: no space for main/one"):
        storage.put("main/one", b"1")
    assert storage.leftovers("main/") == []


def test_a_disk_that_fails_may_be_tried_again(storage, monkeypatch):
    """A network disk comes back."""

    def broken(_descriptor):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(Transient, match="refused a write; seen: main/one: Input/output error"):
        storage.put("main/one", b"1")


@pytest.mark.parametrize("below", ["", "/deeper"])
def test_a_repository_that_cannot_be_is_refused_with_its_setting(tmp_path, below):
    """A file stands where the directory should be."""
    (tmp_path / "file").write_bytes(b"x")
    misplaced = LocalStorage(Path(f"{tmp_path}/file{below}"))
    with pytest.raises(Refused, match=r"cannot be written; seen: .*file.*; .*correct BACKUP_DIR"):
        misplaced.put("main/one", b"1")
    with (
        pytest.raises(Refused, match="correct BACKUP_DIR"),
        misplaced.hold("backup", shared=False, stanza="main"),
    ):
        pass
    assert misplaced.objects("main/") == []


def test_a_directory_in_an_objects_place_is_corrupt(storage):
    """It is told by the object's name."""
    storage.put("main/one/two", b"1")
    with pytest.raises(Corrupt, match="no regular file; seen: main/one is a directory"):
        storage.get("main/one")
    with pytest.raises(Refused, match="cannot be written"):
        storage.delete("main/one")


def test_what_goes_while_it_is_listed_is_not_listed(storage, monkeypatch):
    """An object that is being written takes its name, or is deleted, beside us."""
    storage.put("main/one", b"1")
    real = os.walk

    def late(base):
        for folder in real(base):
            (storage.root / "main" / "one").unlink(missing_ok=True)
            yield folder

    monkeypatch.setattr(os, "walk", late)
    assert storage.objects("main/") == []


def test_a_name_that_is_held_is_refused_to_others(storage):
    """One process holds it alone, or several share it."""
    with storage.hold("wal", shared=False, stanza="main"):
        with (
            pytest.raises(Refused, match="stanza main: wal is in use"),
            storage.hold("wal", shared=True, stanza="main"),
        ):
            pass
        with storage.hold("wal", shared=False, stanza="other"):
            pass
    with (
        storage.hold("read", shared=True, stanza="main"),
        storage.hold("read", shared=True, stanza="main"),
        pytest.raises(Refused),
        storage.hold("read", shared=False, stanza="main"),
    ):
        pass


def test_a_name_is_free_when_its_holder_was_killed(storage):
    """The kernel lets go; nobody has to remove a stale file."""
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from tasks.repository.local import LocalStorage\n"
        "with LocalStorage(Path(sys.argv[1])).hold('wal', shared=False, stanza='main'):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(storage.root)], check=False)
    with storage.hold("wal", shared=False, stanza="main"):
        pass


def test_who_is_patient_waits_for_the_holder(storage):
    """A backup waits for the pull of the minute."""
    code = (
        "import sys, time; from pathlib import Path\n"
        "from tasks.repository.local import LocalStorage\n"
        "with LocalStorage(Path(sys.argv[1])).hold('wal', shared=False, stanza='main'):\n"
        "    print('held', flush=True); time.sleep(0.7)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(storage.root)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Refused), storage.hold("wal", shared=False, stanza="main"):
            pass
        with storage.hold("wal", shared=False, stanza="main", patience_s=30):
            pass


def test_holds_are_not_objects(storage):
    """What is held is not kept."""
    with storage.hold("wal", shared=False, stanza="main"):
        assert storage.objects("main/") == []
