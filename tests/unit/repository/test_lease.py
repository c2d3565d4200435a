"""Leases: of two who want a name at once never both have it, and the dead do not keep it."""

import os
import subprocess
import sys
import threading
import time

import pytest

from tasks.control.errors import OpsError, Refused, Transient
from tasks.repository import lease
from tasks.repository.lease import Mark, holders, leased


class Place:
    """A place for leases, in memory, with a clock of its own."""

    def __init__(self):
        """Begin empty."""
        self.lock = threading.Lock()
        self.marked = {}
        self.broken = False

    def mark(self, name):
        """Write a lease."""
        if self.broken:
            raise Transient("the store is away")
        with self.lock:
            self.marked[name] = time.monotonic()

    def unmark(self, name):
        """Remove one."""
        if self.broken:
            raise Transient("the store is away")
        with self.lock:
            self.marked.pop(name, None)

    def marks(self, prefix):
        """List them."""
        with self.lock:
            now = time.monotonic()
            return [Mark(n, now - at) for n, at in self.marked.items() if n.startswith(prefix)]


def hold(place, *, shared=False, patience_s=0):
    """Hold the name `backup`."""
    return leased(
        place, "main/holds/backup/", "backup", shared=shared, stanza="main", patience_s=patience_s
    )


@pytest.fixture
def place():
    """Return an empty place."""
    return Place()


def test_a_name_that_is_held_is_refused_with_its_holder(place):
    """Which process on which host, since when, and how fresh the lease is."""
    with hold(place):
        with pytest.raises(Refused, match=f"backup is in use; seen: process {os.getpid()} on"):
            hold(place).__enter__()
        assert len(place.marked) == 1
    assert place.marked == {}
    with hold(place):
        pass


@pytest.mark.parametrize(("first", "second", "fine"), [(True, True, True), (True, False, False)])
def test_those_who_share_hold_at_the_same_time(place, first, second, fine):
    """Nobody else does."""
    with hold(place, shared=first):
        if fine:
            with hold(place, shared=second):
                assert len(holders(place, "main/holds/backup/")) == 2
        else:
            with pytest.raises(Refused):
                hold(place, shared=second).__enter__()


def test_patience_waits_for_the_holder(place):
    """And then has it."""
    with hold(place):
        threading.Timer(0.3, place.marked.clear).start()
        with hold(place, patience_s=10):
            assert len(place.marked) == 1


def test_never_two_at_once(place, monkeypatch):
    """Six clients want one name all the time."""
    monkeypatch.setattr(lease, "PAUSE_S", 0.002)
    inside, worst, had = [0], [0], []

    def want():
        for _ in range(15):
            with hold(place, patience_s=60):
                inside[0] += 1
                worst[0] = max(worst[0], inside[0])
                time.sleep(0.001)
                inside[0] -= 1
                had.append(1)

    threads = [threading.Thread(target=want) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert worst == [1]
    assert len(had) == 90


def left_by(code):
    """Return the name of the lease that another process would write."""
    done = subprocess.run(
        [sys.executable, "-c", f"from tasks.repository import lease; {code}"],
        check=True,
        capture_output=True,
        text=True,
    )
    return f"main/holds/backup/{done.stdout.strip()}"


NAME = "print('sole-' + lease._whoami() + '-abcdef01')"


def test_the_lease_of_a_dead_process_of_this_machine_holds_nothing(place):
    """However fresh it is: the next run need not wait."""
    place.mark(left_by(NAME))
    with hold(place):
        assert len(place.marked) == 1


def test_a_lease_of_another_machine_is_believed_until_it_is_old(place, monkeypatch):
    """Nobody can see there whether its process lives."""
    place.mark(left_by(f"lease._machine = lambda: '0' * 12; {NAME}"))
    with pytest.raises(Refused, match="backup is in use"):
        hold(place).__enter__()
    monkeypatch.setattr(lease, "LEASE_S", 0.05)
    time.sleep(0.1)
    with hold(place):
        pass


def test_what_is_no_lease_is_removed(place):
    """It must not keep everybody out for ever."""
    place.mark("main/holds/backup/nonsense")
    with hold(place):
        assert "main/holds/backup/nonsense" not in place.marked


def test_a_lease_is_renewed_while_the_work_goes_on(place, monkeypatch):
    """So that it is never old."""
    monkeypatch.setattr(lease, "LEASE_S", 0.2)
    with hold(place):
        time.sleep(0.6)
        assert max(mark.age_s for mark in place.marks("main/")) < 0.2


def test_a_lease_that_was_lost_fails_the_work(place, monkeypatch):
    """Others may have begun meanwhile."""
    monkeypatch.setattr(lease, "LEASE_S", 0.2)

    def work():
        with hold(place):
            place.broken = True
            time.sleep(0.4)

    with pytest.raises(Transient, match="the hold on backup was lost"):
        work()


def test_a_lease_that_cannot_be_removed_does_not_keep_us_out(place):
    """The work is done; the next of ours goes on at once."""
    with hold(place):
        place.broken = True
    place.broken = False
    assert len(place.marked) == 1
    with hold(place):
        pass


def test_a_place_that_is_away_lets_nobody_in(place):
    """What cannot be known is not assumed."""
    place.broken = True
    with pytest.raises(OpsError):
        hold(place).__enter__()
