"""Names held in a place that has no locks: by a small object that is renewed while we live."""

import hashlib
import logging
import os
import random
import re
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import psutil

from tasks.control import clock
from tasks.control.errors import OpsError, Transient
from tasks.repository.storage import in_use


log = logging.getLogger(__name__)

LEASE_S = 60.0
"""A lease that was not renewed for so long, by the place's own clock, holds nothing any more."""

PAUSE_S = 0.5

CLOCK_S = 5
"""By so much the start of a process may seem to move when the clock is set."""

_ours: set[str] = set()
"""The leases that this process holds, or tries to get; others under its number are left behind."""

_NAME = re.compile(
    r"(?P<mode>shared|sole)-(?P<host>.+)-(?P<machine>[0-9a-f]{12})-(?P<pid>\d+)-(?P<begun>\d+)-\w+$"
)


@dataclass(frozen=True)
class Mark:
    """A lease as it lies in the place: its name, and how long ago it was renewed."""

    name: str
    age_s: float


class Marking(Protocol):
    """A place in which leases are marked; what is written is listed at once."""

    def mark(self, name: str) -> None:
        """Write a lease, or renew it."""

    def unmark(self, name: str) -> None:
        """Remove a lease."""

    def marks(self, prefix: str) -> list[Mark]:
        """List the leases below a prefix, with their age by the place's own clock."""


@contextmanager
def leased(
    place: Marking, prefix: str, name: str, *, shared: bool, stanza: str, patience_s: float
) -> Iterator[None]:
    """Hold a name in a place while the block runs.

    Who wants it writes a lease first and then looks for those of others: of two who come at once
    both see the other, so that never both go on. Where both step back, patience finds an order.

    Args:
        place: where leases are marked.
        prefix: what the names of this name's leases begin with.
        name: what is held, for people.
        shared: whether others may hold it at the same time, who share it too.
        stanza: whose it is.
        patience_s: how long to wait for others.

    Raises:
        Refused: somebody else holds it.
        Transient: the lease could not be renewed in time, so that others may have begun.

    """
    mine = f"{prefix}{'shared' if shared else 'sole'}-{_whoami()}-{uuid.uuid4().hex[:8]}"
    deadline = time.monotonic() + patience_s
    while (other := _tried(place, prefix, mine, shared=shared)) is not None:
        if time.monotonic() > deadline:
            raise in_use(name, stanza, f"{_told(other.name)}, renewed {other.age_s:.0f} s ago")
        time.sleep(PAUSE_S * (1 + random.random()))  # noqa: S311 - to step apart, not to be secret
    renewal = _Renewal(place, mine)
    renewal.start()
    try:
        yield
        renewal.require(name, stanza)
    finally:
        renewal.stop()
        _let_go(place, mine)


def holders(place: Marking, prefix: str, *, sole_only: bool = False) -> list[Mark]:
    """Return the leases below a prefix whose holders may still live; others are removed."""
    found = []
    for mark in place.marks(prefix):
        match = _NAME.search(mark.name)
        if match is None or _is_void(mark, match):
            place.unmark(mark.name)
        elif not sole_only or match["mode"] == "sole":
            found.append(mark)
    return found


def _let_go(place: Marking, mine: str) -> None:
    """Remove our lease; where that cannot be done it runs out by itself."""
    _ours.discard(mine)
    try:
        place.unmark(mine)
    except OpsError as error:
        log.warning("a lease was left behind, and ends in %.0f s: %s", LEASE_S, error)


def _tried(place: Marking, prefix: str, mine: str, *, shared: bool) -> Mark | None:
    """Mark our lease; return another's that stands against it, having taken ours back."""
    _ours.add(mine)
    try:
        place.mark(mine)
        others = holders(place, prefix, sole_only=shared)
    except BaseException:
        _let_go(place, mine)
        raise
    against = [mark for mark in others if mark.name != mine]
    if not against:
        return None
    _let_go(place, mine)
    return against[0]


class _Renewal:
    """Renews a lease beside the work, and knows whether it was ever late."""

    def __init__(self, place: Marking, name: str) -> None:
        self._place, self._name = place, name
        self._ended = threading.Event()
        self._renewed_at = time.monotonic()
        self._was_late = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def require(self, name: str, stanza: str) -> None:
        """See that the lease was ours all the time."""
        if self._was_late or time.monotonic() - self._renewed_at > LEASE_S:
            raise Transient(
                f"the hold on {name} was lost",
                stanza=stanza,
                seen=f"no renewal for more than {LEASE_S:.0f} s",
                do="see that the store can be reached, and try again",
            )

    def _run(self) -> None:
        while not self._ended.wait(LEASE_S / 4):
            try:
                self._place.mark(self._name)
            except OpsError:
                continue
            self._was_late |= time.monotonic() - self._renewed_at > LEASE_S
            self._renewed_at = time.monotonic()


def _is_void(mark: Mark, match: re.Match[str]) -> bool:
    """Tell whether a lease's holder is dead: by its silence, or seen on this very machine."""
    if mark.age_s > LEASE_S:
        return True
    if match["machine"] != _machine():
        return False
    if int(match["pid"]) == os.getpid():
        return mark.name not in _ours
    try:
        begun = psutil.Process(int(match["pid"])).create_time()
    except psutil.NoSuchProcess:
        return True
    return abs(begun - int(match["begun"])) > CLOCK_S


def _whoami() -> str:
    begun = int(psutil.Process().create_time())
    host = re.sub(r"[^A-Za-z0-9.]", "_", socket.gethostname())
    return f"{host}-{_machine()}-{os.getpid()}-{begun}"


def _machine() -> str:
    """Return what two processes share that see each other's process ids."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    return hashlib.sha256(f"{boot}{Path('/proc/self/ns/pid').readlink()}".encode()).hexdigest()[:12]


def _told(name: str) -> str:
    match = _NAME.search(name)
    assert match is not None  # noqa: S101 - others are void
    begun = clock.readable(datetime.fromtimestamp(int(match["begun"]), UTC))
    return f"process {match['pid']} on {match['host']}, begun {begun}"
