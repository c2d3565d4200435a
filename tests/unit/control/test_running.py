"""What of ours runs for a home: one at a time, never mistaken for a stranger, never left over."""

import json
import os
import subprocess
import sys

import psutil
import pytest

from tasks.control import running
from tasks.control.errors import Refused, Transient


SLEEP = "import time; time.sleep(60)"

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True);"


@pytest.fixture
def spawn():
    """Return what starts a program, which is gone after the test."""
    started = []

    def start(*arguments, **env):
        process = subprocess.Popen(
            [sys.executable, *arguments], env={**os.environ, **env}, stdout=subprocess.PIPE
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def noted(home, process):
    """Leave the note of another process in a home."""
    begun = psutil.Process(process.pid).create_time()
    (home / running.NOTE).write_text(json.dumps({"pid": process.pid, "begun": begun, "url": "x"}))


def test_one_runs_in_a_home_and_the_next_is_told_where(tmp_path):
    """The note says who and where, and goes with whoever wrote it."""
    with running.sole(tmp_path):
        running.write_note(tmp_path, "http://127.0.0.1:4200")
        with pytest.raises(Refused, match=rf"process {os.getpid()} at http://127.0.0.1:4200"):
            running.sole(tmp_path).__enter__()
    assert running.note(tmp_path) is None


@pytest.mark.parametrize("begun", [0.0, 1.0, 4e9])
def test_a_note_whose_number_is_somebody_elses_is_none(tmp_path, begun):
    """Nobody is refused for it, and nobody is stopped."""
    left = {"pid": os.getpid(), "begun": begun, "url": "x"}
    (tmp_path / running.NOTE).write_text(json.dumps(left))
    assert running.note(tmp_path) is None
    assert running.end_noted(tmp_path) is False


def test_a_note_that_was_cut_short_is_none(tmp_path):
    """A crash in the middle of writing it stops nobody."""
    (tmp_path / running.NOTE).write_text('{"pid": 1')
    assert running.note(tmp_path) is None


def test_what_runs_is_asked_to_stop_and_awaited(tmp_path, spawn):
    """It stops what it started by itself."""
    process = spawn("-c", SLEEP)
    noted(tmp_path, process)
    assert running.end_noted(tmp_path) is True
    assert process.poll() is not None


def test_what_does_not_stop_is_told_and_not_said_to_be_stopped(tmp_path, spawn, monkeypatch):
    """Its process is named."""
    monkeypatch.setattr(running, "STOP_S", 0.2)
    process = spawn("-c", DEAF + SLEEP)
    process.stdout.readline()
    noted(tmp_path, process)
    with pytest.raises(Transient, match=f"process {process.pid} still runs"):
        running.end_noted(tmp_path)


def test_a_family_that_is_deaf_is_killed(spawn, monkeypatch):
    """A program and what it started, after it was asked twice."""
    monkeypatch.setattr(running, "STOP_S", 0.8)
    child = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {SLEEP!r}]);"
    process = spawn("-c", child + "print(p.pid, flush=True);" + DEAF + SLEEP)
    pid = int(process.stdout.readline())
    process.stdout.readline()
    running.end(process.pid)
    assert process.wait(5) < 0
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    running.end(process.pid)


def test_only_programs_of_prefect_in_this_home_are_strays(tmp_path, spawn):
    """Those of another home, and other programs of this one, go on."""
    mine, other = str(tmp_path / "prefect"), str(tmp_path / "other" / "prefect")
    stray = spawn("-c", SLEEP, "prefect", PREFECT_HOME=mine)
    kept = [
        spawn("-c", SLEEP, "prefect", PREFECT_HOME=other),
        spawn("-c", SLEEP, "postgres", PREFECT_HOME=mine),
    ]
    while len(psutil.Process(stray.pid).cmdline()) < 4:
        pass
    assert running.end_strays(tmp_path) == 1
    assert stray.wait(5) is not None
    assert [process.poll() for process in kept] == [None, None]
