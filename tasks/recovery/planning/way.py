"""The way of a recovery: one timeline, those that led to it, and the WAL of them that is kept."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from tasks.control.errors import Refused
from tasks.postgres import lsn
from tasks.postgres.lsn import Segment
from tasks.repository.history import History
from tasks.repository.model import Backup
from tasks.repository.partial import Partial


@dataclass(frozen=True)
class Run:
    """Segments of a way without a gap, by number, both included."""

    first: int
    last: int


@dataclass(frozen=True)
class Way:
    """A timeline, the way to it, and what is kept of the WAL along it.

    Args:
        history: of the timeline.
        size: bytes of a segment.
        numbers: of the segments along it that are kept, the unfinished one among them.
        unfinished: the segment that is kept as far as it was received; None: all are whole.

    """

    history: History
    size: int
    numbers: frozenset[int]
    unfinished: Partial | None = None

    def segment(self, number: int) -> Segment:
        """Return the segment of a number along the way."""
        return self.history.segment(number, self.size)

    def at(self, position: int) -> int:
        """Return the number of the segment that holds a position in bytes."""
        return position // self.size

    @cached_property
    def runs(self) -> list[Run]:
        """What is kept, in runs without a gap, the earliest first."""
        found: list[Run] = []
        for number in sorted(self.numbers):
            if found and found[-1].last + 1 == number:
                found[-1] = Run(found[-1].first, number)
            else:
                found.append(Run(number, number))
        return found

    def run(self, position: int) -> Run | None:
        """Return the run that holds a position; None: its segment is not kept."""
        number = self.at(position)
        return next((run for run in self.runs if run.first <= number <= run.last), None)

    def end(self, run: Run) -> int:
        """Return the position in bytes at which a run ends."""
        if self.unfinished is not None and self.at(self.unfinished.position - 1) == run.last:
            return self.unfinished.position
        return (run.last + 1) * self.size

    def passes(self, backup: Backup) -> bool:
        """Tell whether the way leads through a backup, from its start to its stop."""
        ends = (lsn.parse(backup.start_lsn), lsn.parse(backup.stop_lsn) - 1)
        return all(self.history.holds(position) == backup.timeline for position in ends)


def along(
    timeline: int | None,
    histories: Mapping[int, History],
    kept: Collection[Segment],
    unfinished: Collection[Partial],
    size: int,
) -> Way:
    """Return the way to a timeline, the newest one where none is named.

    Args:
        timeline: its number.
        histories: those that are archived.
        kept: the whole segments that are archived.
        unfinished: what is kept of segments that are not whole yet, the newest last.
        size: bytes of a segment.

    Raises:
        Refused: nothing is known of that timeline.

    """
    known = {segment.timeline for segment in kept} | histories.keys()
    wanted = timeline or max(known, default=1)
    if wanted not in known | {1}:
        raise Refused(
            "nothing is known of this timeline",
            seen=wanted,
            expected=" or ".join(map(str, sorted(known))) or "1",
            do="hl7ops wal status lists what is archived",
        )
    history = histories.get(wanted, History(wanted))
    whole = {each.number for each in kept if history.segment(each.number, size) == each}
    last = [
        each
        for each in unfinished
        if history.segment(each.segment.number, size) == each.segment
        and each.segment.number not in whole
    ]
    numbers = whole | {each.segment.number for each in last[-1:]}
    return Way(history, size, frozenset(numbers), last[-1] if last else None)
