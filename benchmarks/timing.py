"""Side by side: the contestants take turns, and medians with their spread are compared."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


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


def alternating(contestants: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Times]:
    """Let each contestant run once a round, in turn; each returns its peak memory in MB or 0."""
    found = {name: Times() for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            began = time.perf_counter()
            peak = run()
            found[name].seconds.append(time.perf_counter() - began)
            found[name].peak_mb = max(found[name].peak_mb, peak)
    return found


def peak_of(command: Sequence[str], env: dict[str, str] | None = None) -> float:
    """Run a program to its end and return the peak of its resident memory, in MB.

    Raises:
        RuntimeError: it failed; the text is what it said.

    """
    with subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None  # noqa: S101 - it was asked for
        said = process.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]}: {said[-500:]}")
    return usage.ru_maxrss / 1024
