"""A race: several ways to the same copy, in turn, and the table of it."""

import os
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.scale import ROUNDS
from benchmarks.timing import Times, alternating


WIDTH = 34


@dataclass(frozen=True)
class Way:
    """A way to get something back: what is timed, and what comes before and after it.

    Args:
        run: gets it back, and returns the peak of memory in MB.
        after: takes it away.
        look: tells what is there, which must be the same on every way.
        before: prepares the run.

    """

    run: Callable[[], float]
    after: Callable[[], None]
    look: Callable[[], object]
    before: Callable[[], None] = lambda: None


@dataclass
class Phases:
    """The seconds of each phase of this project's own restores."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    def note(self, spent: Mapping[str, float]) -> None:
        """Note the phases of one restore."""
        for name, seconds in spent.items():
            self.seconds.setdefault(name, []).append(seconds)

    def show(self, whole: Times) -> None:
        """Print the median of each, and what is left of the whole for the command line."""
        medians = {name: statistics.median(spent) for name, spent in self.seconds.items()}
        rest = whole.median - sum(medians.values())
        for name, seconds in (medians | {"the command line": rest}).items():
            print(f"    phase {name:<{WIDTH - 8}} {seconds:6.2f} s")


def race(title: str, ways: Mapping[str, Way], rounds: int = ROUNDS) -> dict[str, Times]:
    """Let each way be gone once a round, in turn, and print a line for each.

    Returns:
        The times; the ratios that are printed are to the first of them.

    Raises:
        RuntimeError: the ways do not lead to the same.

    """
    seen: dict[str, object] = {}

    def between(name: str) -> None:
        seen[name] = ways[name].look()
        ways[name].after()

    def before(name: str) -> None:
        os.sync()  # nobody pays for what another has left to be written
        ways[name].before()

    runs = {name: way.run for name, way in ways.items()}
    found = alternating(runs, rounds, between, before)
    if len(set(seen.values())) > 1:
        raise RuntimeError(f"{title}: the copies differ: {seen}")
    show(title, found)
    return found


def show(title: str, found: Mapping[str, Times], told: Mapping[str, str] | None = None) -> None:
    """Print a line for each of some times, and what more is to be told of it."""
    print(title)
    first = next(iter(found.values()))
    for name, times in found.items():
        more = f"   {told[name]}" if told and name in told else ""
        print(f"  {name:<{WIDTH}} {times.beside(first)}{more}")
