"""Draw what a drill restores: any point of the window, from any backup that leads there."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.control.errors import Refused
from tasks.postgres import lsn
from tasks.recovery.planning.plan import Base, Window
from tasks.repository.model import BackupId


@dataclass(frozen=True)
class Drawn:
    """A backup and a position to recover it to, as a seed determines."""

    seed: int
    backup: BackupId
    position: int

    @property
    def target(self) -> str:
        """The target, as a restore takes it."""
        return f"lsn:{lsn.spell(self.position)}"


def draw(seed: int, window: Window) -> Drawn:
    """Draw a point, uniformly over the bytes of WAL that can be reached, then a backup.

    Args:
        seed: what determines both; the same seed draws the same from the same window.
        window: what can be recovered.

    Raises:
        Refused: nothing can be.

    """
    chance = random.Random(seed)  # noqa: S311 - a seed is recorded, so that a drill comes again
    spans = reachable(window)
    every = sum(end - begin for begin, end in spans)
    if not every:
        raise Refused(
            "there is nothing to rehearse",
            stanza=window.stanza,
            seen=window.told,
            do="hl7ops backup full",
        )
    position = _at(spans, chance.randrange(every))
    leading = [base for base in window.bases if _leads(base, position, window)]
    return Drawn(seed, chance.choice(leading).backup.id, position)


def reachable(window: Window) -> list[tuple[int, int]]:
    """List the positions that can be reached, as spans without overlap, in bytes of WAL."""
    spans = []
    for run in window.way.runs:
        of_it = (base for base in window.bases if window.way.run(base.start) == run)
        stops = [base.stop for base in of_it if window.way.passes(base.backup)]
        if stops:
            spans.append((min(stops), window.way.end(run)))
    return [(begin, end) for begin, end in spans if begin < end]


def _at(spans: Sequence[tuple[int, int]], number: int) -> int:
    """Return the n-th byte of some spans."""
    for begin, end in spans:
        if number < end - begin:
            return begin + number
        number -= end - begin
    raise IndexError(number)


def _leads(base: Base, position: int, window: Window) -> bool:
    return base.problem is None and base.stop <= position and window.leads(base, position)


def lower_bound(passed: int, drills: int, confidence: float = 0.95) -> float:
    """Return the share of the window of which one can be that sure that it restores.

    The exact one-sided bound of Clopper and Pearson (1934): the share at which so many passes, or
    more, would come about with a probability of one less the confidence. Without a failure it is
    the n-th root of that.

    Args:
        passed: how many drills passed.
        drills: how many there were.
        confidence: between 0 and 1.

    """
    if not passed:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_least(passed, drills, middle) < 1 - confidence:
            low = middle
        else:
            high = middle
    return low


def _at_least(passed: int, drills: int, share: float) -> float:
    """Return how likely so many passes, or more, are when each passes with a probability."""
    ways = math.lgamma(drills + 1)
    return math.fsum(
        math.exp(
            ways
            - math.lgamma(number + 1)
            - math.lgamma(drills - number + 1)
            + number * math.log(share)
            + (drills - number) * math.log1p(-share)
        )
        for number in range(passed, drills + 1)
    )
