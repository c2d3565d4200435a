"""Scratch directories: held by one, removed in any case, collected after a kill."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tasks.control.errors import OpsError, Refused
from tasks.postgres import bound
from tasks.recovery.copies.scratch import collect, scratch


def test_a_scratch_directory_goes_when_its_block_ends(stanza):
    """However it ends."""

    def breaks():
        with scratch(stanza.home, "one", 0) as copy:
            (copy.make(copy.data) / "file").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        breaks()
    assert not list(stanza.home.scratch.iterdir())


def test_it_belongs_to_who_runs_the_server_and_nobody_else_enters(stanza):
    """Copies hold the data of patients."""
    with scratch(stanza.home, "one", 0) as copy:
        assert copy.path.stat().st_mode & 0o777 == 0o700
        assert copy.path.stat().st_uid == stanza.home.owner.uid


def test_two_may_be_made_beside_each_other_but_not_one_twice(stanza):
    """Each is held by its own process."""
    with scratch(stanza.home, "one", 0), scratch(stanza.home, "two", 0):
        assert collect(stanza.home) == 0
        with pytest.raises(Refused, match="already; seen: one"), scratch(stanza.home, "one", 0):
            pass


def test_a_machine_without_the_signal_runs_copies_as_well(stanza, monkeypatch):
    """They are stopped at the end as ever, and after a kill by the next run."""
    monkeypatch.setattr(bound, "can_bind", lambda: False)
    with scratch(stanza.home, "one", 0) as copy:
        copy.cluster.create(copy.owner, {})
        copy.cluster.start()
        pid = copy.cluster.pid()
        assert psutil.Process(pid).ppid() != os.getpid()
    assert copy.cluster.pid() is None


def test_a_server_that_does_not_come_up_is_told_with_its_last_words(stanza):
    """And is no child of ours any more."""
    before = psutil.Process().children()
    with scratch(stanza.home, "one", 0) as copy:
        copy.cluster.create(copy.owner, {})
        with pytest.raises(OpsError, match=r"did not start; seen: FATAL: .*nowhere"):
            copy.cluster.start({"shared_preload_libraries": "nowhere"})
        with pytest.raises(OpsError, match="did not start"):
            copy.cluster.start({"restore_command": "sleep 60"} | recovering(copy), timeout_s=1)
        assert copy.cluster.pid() is None
        assert set(psutil.Process().children()) <= set(before)


def test_a_server_that_has_not_come_to_its_process_file_is_ended_at_once(stanza):
    """Whoever breaks off its start waits for nothing."""
    before = psutil.Process().children()
    with scratch(stanza.home, "one", 0) as copy:
        copy.make(copy.data)
        began = time.monotonic()
        assert not bound.start(["sleep", "600"], copy.data, copy.path / "log", copy.owner, 0.2)
        copy.cluster.stop()
        assert time.monotonic() - began < 5
        assert set(psutil.Process().children()) <= set(before)


def recovering(copy):
    """Let a copy wait for WAL for ever."""
    (copy.data / "recovery.signal").touch()
    return {"hot_standby": "off", "recovery_target_action": "pause"}


CHILD = """
import os, signal
from tasks.control import settings
from tasks.postgres.cluster import Cluster
from tasks.recovery.copies.scratch import scratch
from tasks.repository.stanza import open_stanza

home = open_stanza(settings.load()).home
with scratch(home, "left", 0) as copy:
    copy.cluster.create(copy.owner, {})
    copy.cluster.start()
    print(copy.cluster.pid(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_server_of_a_killed_run_dies_with_it_and_the_next_run_removes_its_files(stanza):
    """It is told to end at once when whoever started it is gone."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        env={**os.environ, "HL7OPS_HOME": str(stanza.home.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    pid = int(done.stdout)
    deadline = time.monotonic() + 5
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert collect(stanza.home) == 1
    assert not list(stanza.home.scratch.iterdir())
