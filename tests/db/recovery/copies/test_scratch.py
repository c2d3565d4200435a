"""Scratch directories: held by one, removed in any case, collected after a kill."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from tasks.control.errors import Refused
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


def test_a_killed_run_leaves_a_running_server_and_the_next_one_removes_it(stanza):
    """The server is stopped, its directory is gone."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        env={**os.environ, "HL7OPS_HOME": str(stanza.home.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    pid = int(done.stdout)
    assert psutil.Process(pid).name() == "postgres"
    assert collect(stanza.home) == 1
    assert not list(stanza.home.scratch.iterdir())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
