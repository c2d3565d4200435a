"""Servers of copies die with whoever started them, but for those that are handed to a person."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tasks.backup.take import take
from tasks.control.errors import Refused
from tasks.postgres import auto_conf
from tasks.postgres.cluster import Cluster
from tasks.recovery.planning.target import parse
from tasks.recovery.restoring import restored, running_copies
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.restore import restore


BOOTED = """
import sys, time
from tasks.control import settings
from tasks.recovery.proving import verify
from tasks.repository.stanza import open_stanza

def wait(server):
    print("there", flush=True)
    time.sleep(60)

verify.verify(open_stanza(settings.load()), "latest", meddle=wait)
"""

RESTORING = """
import sys, time
from pathlib import Path
from tasks.control import settings
from tasks.recovery.planning.target import parse
from tasks.recovery.restoring import recovering
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.restore import restore
from tasks.repository.stanza import open_stanza

def wait(copy):
    print("there", flush=True)
    time.sleep(60)

if "wait" in sys.argv:
    recovering.reached = wait
place = Destination(Path(sys.argv[1]), is_kept="scratch" not in sys.argv)
restore(open_stanza(settings.load()), parse("latest"), place)
print("there", flush=True)
if "stay" in sys.argv:
    time.sleep(60)
"""


@pytest.fixture
def source(make_source):
    """Make a source with one backup."""
    made = make_source("18")
    take(made.stanza)
    return made


def begin(source, code, *arguments):
    """Begin a program, and return it once it is where it should be."""
    address = source.cluster.server("main", "app", "keeper").address
    known = {"HL7OPS_HOME": str(source.path / "home"), "DATABASE_URL": address}
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, **known},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "there\n"
    return process


def killed(process):
    """Kill a program as by `kill -9`."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


def gone(pid):
    """Wait until a process is gone."""
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return True


def test_a_verification_that_is_killed_leaves_no_server(source):
    """Nor does its scratch copy stay once another one runs."""
    process = begin(source, BOOTED)
    (copy,) = running_copies.of_home(source.stanza.home)
    assert copy.kind == "scratch"
    killed(process)
    assert gone(copy.pid)
    assert running_copies.of_home(source.stanza.home) == []


def test_a_restore_that_is_killed_leaves_no_server_and_goes_on(source):
    """The same call then comes to its end."""
    path = source.path / "copy"
    process = begin(source, RESTORING, path, "wait")
    (copy,) = running_copies.of_home(source.stanza.home)
    assert (copy.kind, copy.path) == ("half-made", Destination(path).work / "data")
    assert running_copies.at(path) == [copy]
    killed(process)
    assert gone(copy.pid)
    done = restore(source.stanza, parse("latest"), Destination(path))
    source.copies.append(done.cluster)
    assert done.cluster.pid() is not None


def test_a_copy_for_a_person_outlives_whoever_made_it_and_one_for_ourselves_does_not(source):
    """A rehearsal's copy is of the second kind."""
    process = begin(source, RESTORING, source.path / "copy")
    process.communicate()
    assert process.returncode == 0
    (kept,) = running_copies.of_home(source.stanza.home)
    source.copies.append(restored.find(source.path / "copy").cluster)
    process = begin(source, RESTORING, source.path / "other", "scratch", "stay")
    other = next(each for each in running_copies.of_home(source.stanza.home) if each != kept)
    killed(process)
    assert gone(other.pid)
    assert running_copies.of_home(source.stanza.home) == [kept]
    assert psutil.pid_exists(kept.pid)


def verb(source, *arguments):
    """Run a verb, and return what it says."""
    address = source.cluster.server("main", "app", "keeper").address
    known = {"HL7OPS_HOME": str(source.path / "home"), "DATABASE_URL": address}
    done = subprocess.run(
        [sys.executable, "-m", "flows", *arguments],
        env={**os.environ, **known},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if "--json" in arguments else done.stdout


def test_copies_are_found_and_stopped_wherever_they_are(source):
    """By their directory, all of this home, or with all else; also one that is half made."""
    path = source.path / "copy"
    process = begin(source, RESTORING, path, "wait")
    assert verb(source, "restored", "stop", str(path), "--json") == {"path": str(path), "ran": True}
    assert running_copies.at(path) == []
    killed(process)
    done = restore(source.stanza, parse("latest"), Destination(path), promote=True)
    source.copies.append(done.cluster)
    told = verb(source, "restored", "stop", "--json")
    assert told["stopped"] == []
    assert [each["path"] for each in told["running"]] == [str(path)]
    assert verb(source, "restored", "stop", "--all", "--json")["stopped"] == [str(path)]
    assert done.cluster.pid() is None
    done.cluster.start(done.configuration(home=source.stanza.home.path).restored())
    assert done.cluster.pid() is not None
    verb(source, "down")
    assert done.cluster.pid() is None
    with pytest.raises(Refused, match="nothing was restored there"):
        restored.find(source.path / "nowhere")


def test_a_server_that_is_no_copy_is_stopped_by_nobody(source):
    """Though its directory is named."""
    assert running_copies.at(source.cluster.data) == []
    with pytest.raises(AssertionError, match="nothing was restored there"):
        verb(source, "restored", "stop", str(source.cluster.data))
    assert source.cluster.pid() is not None


def test_settings_that_a_killed_run_left_aside_come_back(source):
    """Whoever stops the copy puts them back, with what was set in it meanwhile after them."""
    path = source.path / "copy"
    done = restore(source.stanza, parse("latest"), Destination(path), promote=True)
    source.copies.append(done.cluster)
    before = (path / auto_conf.AUTO_CONF).read_text()
    assert not (path / auto_conf.SOURCE_AUTO_CONF).exists()
    auto_conf.lay_aside(path)
    with done.server.connect() as connection:
        connection.execute("alter system set work_mem = '9MB'")
    restored.stop(done)
    assert (path / auto_conf.AUTO_CONF).read_text().startswith(before)
    own = Cluster(path, source.path / "run", 5442, source.cluster.programs)
    source.copies.append(own)
    own.start()
    with own.server("main").connect() as connection:
        assert connection.execute("show work_mem").fetchone() == ("9MB",)
