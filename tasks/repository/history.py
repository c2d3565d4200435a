"""Timeline histories: which timelines led to one, where each was left, and why."""

import re
from dataclasses import dataclass
from itertools import pairwise

from tasks.control.errors import Corrupt
from tasks.postgres import lsn
from tasks.postgres.lsn import Segment


_LINE = re.compile(r"(\d{1,10})\s+([0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8})(?:\s+(.*))?")

_LAST = 0xFFFFFFFF
"""The highest number of a timeline."""


@dataclass(frozen=True)
class Switch:
    """Where a timeline was left for the next one, and why."""

    timeline: int
    position: int
    reason: str = ""


@dataclass(frozen=True)
class History:
    """A timeline and the way to it: its ancestors, oldest first; timeline 1 has none."""

    timeline: int
    switches: tuple[Switch, ...] = ()

    @property
    def ancestors(self) -> tuple[int, ...]:
        """The timelines that led to this one, oldest first."""
        return tuple(switch.timeline for switch in self.switches)

    @property
    def parent(self) -> Switch | None:
        """The timeline that this one was branched off, and where; None: it is the first."""
        return self.switches[-1] if self.switches else None

    def holds(self, position: int) -> int:
        """Return the timeline that holds a position on the way to this one."""
        ways = (switch.timeline for switch in self.switches if position < switch.position)
        return next(ways, self.timeline)

    def left(self, timeline: int) -> int | None:
        """Return where the way leaves a timeline; None: it does not, or does not lead there."""
        ends = (switch.position for switch in self.switches if switch.timeline == timeline)
        return next(ends, None)

    def segment(self, number: int, size: int) -> Segment:
        """Return the segment of a number on the way to this timeline.

        The segment in which a timeline is left is the next one's: it begins with a copy of the
        old one's part (PostgreSQL does so when it promotes, and replays from it).
        """
        return Segment(self.holds((number + 1) * size - 1), number, size)


def file_name(timeline: int) -> str:
    """Return the name that PostgreSQL gives to the history of a timeline."""
    return f"{timeline:08X}.history"


def parse(timeline: int, data: bytes) -> History:
    """Read the history of a timeline, as PostgreSQL writes it.

    A line is a timeline, the position at which it was left, and the reason; see PostgreSQL's
    `readTimeLineHistory`, which refuses the same.

    Raises:
        Corrupt: it is none; names the timeline and the line.

    """
    lines = [line.strip() for line in data.decode(errors="replace").splitlines()]
    switches = tuple(_switch(timeline, line) for line in lines if line and line[0] != "#")
    numbers = [0, *(switch.timeline for switch in switches), timeline]
    ends = [switch.position for switch in switches]
    is_rising = all(a < b for a, b in pairwise(numbers))
    if not switches or not is_rising or ends != sorted(ends) or timeline > _LAST:
        said = ", ".join(f"{each.timeline} to {lsn.spell(each.position)}" for each in switches)
        raise Corrupt(
            "that is no history of a timeline",
            seen=f"{file_name(timeline)}: {said or 'no ancestor'}",
            expected="ancestors that rise, up to the timeline itself",
        )
    return History(timeline, switches)


def _switch(timeline: int, line: str) -> Switch:
    match = _LINE.fullmatch(line)
    if match is None:
        raise Corrupt(
            "that is no history of a timeline",
            seen=f"{file_name(timeline)}: {line[:60]!r}",
            expected="a timeline, a position and a reason",
        )
    return Switch(int(match[1]), lsn.parse(match[2]), match[3] or "")
