"""Killed at any point, the next run converges: nothing half is listed, nothing good is lost."""

import os
import signal
import subprocess
import sys

import pytest

from tasks.backup import take, wal
from tasks.backup.cleanup import cleanup
from tasks.recovery.verify import verify
from tasks.repository.wal import intervals


CHILD = """
import os, signal, sys
from datetime import timedelta
from pathlib import Path

from tasks.control import clock, settings
from tasks.repository.stanza import open_stanza

verb, place, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
module, _, name = place.rpartition(":")
owner = __import__(module, fromlist=["x"])
*path, last = name.split(".")
for each in path:
    owner = getattr(owner, each)
real, calls = getattr(owner, last), [0]


def dying(*args, **kwargs):
    calls[0] += 1
    if calls[0] == count:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args, **kwargs)


setattr(owner, last, dying)
stanza = open_stanza(settings.load())
if verb == "take":
    from tasks.backup import take
    take.take(stanza)
elif verb == "pull":
    from tasks.backup import wal
    wal.pull(stanza, stanza.server())
elif verb == "verify":
    from tasks.recovery.verify import verify
    verify(stanza, "latest")
elif verb == "cleanup":
    from tasks.backup.cleanup import cleanup
    cleanup(stanza, now=clock.now() + timedelta(days=90))
"""


def die(stanza, verb, place, count):
    """Run a verb in a process that kills itself at the n-th call of a function."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, verb, place, str(count)],
        env={**os.environ, "HL7OPS_HOME": str(stanza.home.path)},
        check=False,
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-500:]


def write(stanza):
    """Let there be something to archive."""
    with stanza.server().connect() as connection:
        connection.execute("insert into counted (n) select * from generate_series(1, 1000)")


@pytest.mark.parametrize(
    ("place", "count"),
    [
        ("tasks.repository.stream:Vault.storing", 1),
        ("tasks.repository.stream:Vault.storing", 2),
        ("tasks.repository.local:os.fsync", 3),
        ("tasks.backup.seal:measure", 1),
        ("tasks.backup.physical:_see_that_wal_is_whole", 1),
        ("tasks.repository.catalogue:Catalogue.add", 1),
    ],
)
def test_a_killed_take_is_never_listed_and_the_next_one_succeeds(stanza, place, count):
    """What it left is collected, and the backups from before are untouched."""
    known = [entry.id for entry in stanza.catalogue.entries()]
    die(stanza, "take", place, count)
    assert [entry.id for entry in stanza.catalogue.entries()] == known
    made = take.take(stanza)
    cleanup(stanza)
    assert stanza.catalogue.leftovers() == []
    assert [entry.id for entry in stanza.catalogue.entries()] == [*known, made.id]


@pytest.mark.parametrize(
    ("place", "count"),
    [
        ("tasks.backup.transfer:Transfer.run", 1),
        ("tasks.repository.local:LocalStorage.put", 1),
        ("tasks.backup.transfer:slot.advance", 1),
    ],
)
def test_a_killed_pull_leaves_no_gap(stanza, place, count):
    """The slot has moved only as far as the archive reaches, so the next pull goes on there."""
    wal.pull(stanza, stanza.server(), restart=True)
    before = intervals(wal.open_archive(stanza, stanza.server()).kept())
    write(stanza)
    die(stanza, "pull", place, count)
    wal.pull(stanza, stanza.server())
    assert len(intervals(wal.open_archive(stanza, stanza.server()).kept())) == len(before)


@pytest.mark.parametrize(
    ("place", "count"),
    [
        ("tasks.recovery.unpack:_untar", 1),
        ("tasks.recovery.holding:tables_of", 1),
        ("tasks.repository.catalogue:Catalogue.record", 1),
    ],
)
def test_a_killed_verification_is_collected_by_the_next(stanza, place, count):
    """Its scratch cluster, running or not, is removed, and the proof is made."""
    take.take(stanza)
    die(stanza, "verify", place, count)
    assert verify(stanza, "latest").verdict == "proven"
    assert not list(stanza.home.scratch.iterdir())


@pytest.mark.parametrize(
    ("place", "count"),
    [
        ("tasks.repository.local:LocalStorage.delete", 1),
        ("tasks.repository.local:LocalStorage.delete", 2),
        ("tasks.backup.cleanup:_unneeded", 1),
    ],
)
def test_a_killed_cleanup_leaves_no_backup_without_its_data(stanza, place, count):
    """What is listed has all of its objects, and the next cleanup removes the rest."""
    for _ in range(3):
        last = take.take(stanza)
    die(stanza, "cleanup", place, count)
    for entry in stanza.catalogue.backups():
        names = [name for name, _ in stanza.catalogue.objects(entry.id)]
        assert any(name.endswith("base.tar.zst") for name in names)
    cleanup(stanza)
    assert stanza.catalogue.leftovers() == []
    assert stanza.catalogue.get("latest") == last
