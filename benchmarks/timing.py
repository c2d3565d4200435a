"""Side by side: the contestants take turns, and medians with their spread are compared."""

import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import psutil


SAMPLE_S = 0.1


@dataclass
class Times:
    """Seconds of each round, and the largest peak of resident memory in MB where it is known."""

    seconds: list[float] = field(default_factory=list)
    peak_mb: float = 0.0

    @property
    def median(self) -> float:
        """The median of the rounds, in seconds."""
        return statistics.median(self.seconds)

    def __str__(self) -> str:
        """Spell median and spread: `2.35 s (2.21 to 2.60)`."""
        return f"{self.median:.2f} s ({min(self.seconds):.2f} to {max(self.seconds):.2f})"

    def beside(self, first: "Times") -> str:
        """Spell median and spread, the ratio to the first contestant's, and the memory."""
        ratio = self.median / first.median
        return f"{self!s:<26} {ratio:5.2f} x   peak {self.peak_mb:6,.0f} MB"


def alternating(
    contestants: Mapping[str, Callable[[], float]],
    rounds: int,
    between: Callable[[str], None] = lambda _name: None,
    before: Callable[[str], None] = lambda _name: None,
) -> dict[str, Times]:
    """Let each contestant run once a round, in turn; each round begins with the next one.

    So no contestant always comes after the same one, which leaves the disk something to do.

    Args:
        contestants: each runs once and returns its peak memory in MB, or 0.
        rounds: how often.
        between: called with the name after each run, outside the time: measures and tidies up.
        before: called with the name before each run, outside the time too.

    """
    found = {name: Times() for name in contestants}
    names = list(contestants)
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            before(name)
            began = time.perf_counter()
            peak = contestants[name]()
            found[name].seconds.append(time.perf_counter() - began)
            found[name].peak_mb = max(found[name].peak_mb, peak)
            between(name)
    return found


@dataclass(frozen=True)
class Ended:
    """A program that ended well: the peak of its resident memory in MB, and what it printed."""

    peak_mb: float
    printed: str


def watched(
    command: Sequence[str],
    env: dict[str, str] | None = None,
    **how: Any,  # noqa: ANN401 - what subprocess takes, such as a user
) -> Ended:
    """Run a program to its end, and watch its memory.

    All processes that it starts are added up, since some work in several. What the kernel reports
    of an ended child will not do: a child begins with the memory of whoever started it.

    Raises:
        RuntimeError: it failed; the text is what it said.

    """
    with (
        tempfile.TemporaryFile() as printed,
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, env=env, stdout=printed, stderr=said, **how) as process,
    ):
        peak, ended = [0.0], threading.Event()
        watch = threading.Thread(target=_watch, args=(process.pid, peak, ended))
        watch.start()
        process.wait()
        ended.set()
        watch.join()
        out, errors = (_read(file) for file in (printed, said))
    if process.returncode:
        raise RuntimeError(f"{command[0]}: exit {process.returncode}: {(out + errors)[-500:]}")
    return Ended(peak[0], out)


def peak_of(
    command: Sequence[str],
    env: dict[str, str] | None = None,
    **how: Any,  # noqa: ANN401 - what subprocess takes
) -> float:
    """Run a program as `watched` does, and return the peak of its resident memory, in MB."""
    return watched(command, env, **how).peak_mb


def _read(file: BinaryIO) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _watch(pid: int, peak: list[float], ended: threading.Event) -> None:
    while not ended.wait(SAMPLE_S):
        peak[0] = max(peak[0], _resident(pid))


def _resident(pid: int) -> float:
    """Return the resident memory of a process and of all below it, in MB."""
    total = 0
    try:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            total += process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0.0
    return total / 1e6
