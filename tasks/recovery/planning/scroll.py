"""The WAL along a way, fetched from the archive segment by segment as it is read."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from tasks.control.errors import Corrupt, WrongKey
from tasks.postgres.lsn import Segment
from tasks.recovery.planning import waldump
from tasks.recovery.planning.waldump import Mark, Record
from tasks.recovery.planning.way import Run, Way
from tasks.repository import partial
from tasks.repository.wal import Archive, Kept


AT_HAND = 6
"""How many segments lie in the folder at once."""


class BadSegment(Corrupt):
    """A segment along the way is not what was kept; `number` tells which."""

    def __init__(self, error: Corrupt, number: int) -> None:
        """Say what was found, and how a recovery can end before it."""
        self.number = number
        super().__init__(
            str(error),
            do="hl7ops restore --accept-failed-proof ends at the last record before it",
        )


class Scroll:
    """Reads marks and records of the WAL along a way."""

    def __init__(
        self, archive: Archive, way: Way, kept: Mapping[Segment, Kept], tools: Path, folder: Path
    ) -> None:
        """Read what is kept along a way.

        Args:
            archive: where from.
            way: along which.
            kept: the whole segments of the archive.
            tools: the directory of the programs.
            folder: an empty one, which is filled with a few segments at a time.

        """
        self.way = way
        self._archive = archive
        self._kept = kept
        self._tools = tools
        self._folder = folder
        self._at_hand: list[int] = []
        self.marks = lru_cache(maxsize=64)(self._marks)

    def transactions(self, number: int) -> list[Mark]:
        """List the ends of transactions in a segment, in their order in the WAL."""
        return [mark for mark in self.marks(number) if mark.at is not None]

    def soonest(self, number: int) -> list[Mark]:
        """List the ends of transactions of the first segment from a number on that has any."""
        later = (self.transactions(each) for each in self._numbers(number, max(self.way.numbers)))
        return next((found for found in later if found), [])

    def forward(self, number: int, last: int) -> Iterator[Mark]:
        """Yield marks from a segment on, up to another one, both included, as far as kept."""
        for each in self._numbers(number, last):
            yield from self.marks(each)

    def backward(self, position: int, first: int) -> Iterator[Mark]:
        """Yield the marks before a position, the nearest first, down to a segment."""
        for each in reversed(self._numbers(first, self.way.at(position))):
            yield from (mark for mark in reversed(self.marks(each)) if mark.position < position)

    def record_from(self, position: int) -> Record | None:
        """Return the first record that begins at a position or after it; None: there is none."""
        number = self.way.at(position)
        self._fetch(number)
        timeline = self.way.segment(number).timeline
        return waldump.first_record(self._tools, self._folder, timeline, position)

    def last_record(self, run: Run) -> Record:
        """Return the last whole record of a run.

        Raises:
            Corrupt: there is none.

        """
        for number in range(run.last, run.first - 1, -1):
            self._fetch(number)
            name = self.way.segment(number).name
            if found := waldump.last_record(self._tools, self._folder, name):
                return found
        name = self.way.segment(run.first).name
        raise Corrupt("WAL holds no record", stanza=self._archive.stanza, seen=f"from {name} on")

    def _numbers(self, first: int, last: int) -> list[int]:
        return sorted(number for number in self.way.numbers if first <= number <= last)

    def _marks(self, number: int) -> list[Mark]:
        self._fetch(number)
        return waldump.marks(self._tools, self._folder, self.way.segment(number).name)

    def _fetch(self, number: int) -> None:
        """Lay a segment into the folder, and the next one too, into which a record may go on."""
        for each in (number, number + 1):
            if each in self.way.numbers and each not in self._at_hand:
                data = self._bytes(each)
                for name in self._names(each):
                    (self._folder / name).write_bytes(data)
                self._at_hand.append(each)
        while len(self._at_hand) > AT_HAND:
            for name in self._names(self._at_hand.pop(0)):
                (self._folder / name).unlink()

    def _names(self, number: int) -> Iterable[str]:
        """Return the segment's name, and the one by which the timeline before looks for it."""
        before = self.way.segment(number - 1).timeline
        return {
            self.way.segment(number).name,
            Segment(before, number, self.way.size).name,
        }

    def check(self, number: int) -> None:
        """See that a segment can be read.

        Raises:
            BadSegment: it cannot.

        """
        self._bytes(number)

    def leave_out(self, number: int) -> None:
        """Go on as if a segment were not kept."""
        self.way = replace(self.way, numbers=self.way.numbers - {number})
        self.marks.cache_clear()

    def _bytes(self, number: int) -> bytes:
        try:
            return self._read(number)
        except WrongKey:
            raise
        except Corrupt as error:
            raise BadSegment(error, number) from None

    def _read(self, number: int) -> bytes:
        segment = self.way.segment(number)
        if segment in self._kept:
            return self._archive.fetch(self._kept[segment])
        unfinished = self.way.unfinished
        assert unfinished is not None  # noqa: S101 - it is the only one that is not whole
        return partial.fetch(self._archive, unfinished)
