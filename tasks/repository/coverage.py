"""What archived WAL covers: intervals without a gap, what is missing, and where timelines join."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

from tasks.postgres.lsn import Segment
from tasks.repository.history import History, Switch


@dataclass(frozen=True)
class Gap:
    """Segments that are missing before an interval, on the way to its timeline."""

    first: Segment
    last: Segment

    @property
    def count(self) -> int:
        """How many segments."""
        return self.last.number - self.first.number + 1


@dataclass(frozen=True)
class Interval:
    """Segments of one timeline that follow each other without a gap.

    What lies before it: the timeline that it `continues`, and where; or a `gap`; or neither, where
    it is the first on its way, or the history of its timeline is not known.
    """

    first: Segment
    last: Segment
    continues: Switch | None = None
    gap: Gap | None = None

    @property
    def count(self) -> int:
        """How many segments."""
        return self.last.number - self.first.number + 1


def intervals(
    segments: Collection[Segment], histories: Mapping[int, History] | None = None
) -> list[Interval]:
    """Join segments into intervals without a gap, and say what lies before each.

    Args:
        segments: those that are archived.
        histories: what is known of the timelines; one that is absent stands alone.

    """
    ordered, known = sorted(segments), set(segments)
    breaks = [pair for pair in pairwise(ordered) if pair[0].next() != pair[1]]
    firsts = [*ordered[:1], *(after for _, after in breaks)]
    lasts = [*(before for before, _ in breaks), *ordered[-1:]]
    found = []
    for first, last in zip(firsts, lasts, strict=True):
        way = (histories or {}).get(first.timeline, History(first.timeline))
        found.append(Interval(first, last, _continued(first, known, way), _gap(first, known, way)))
    return found


def _continued(first: Segment, known: Collection[Segment], way: History) -> Switch | None:
    """Return the timeline that ends where a segment begins, if its last segment is archived."""
    before = way.segment(first.number - 1, first.bytes)
    end = way.left(before.timeline)
    return Switch(before.timeline, end) if before in known and end is not None else None


def _gap(first: Segment, known: Collection[Segment], way: History) -> Gap | None:
    """Return what is missing between a segment and the last one before it on its way."""
    before = [
        each.number
        for each in known
        if each.number < first.number and way.segment(each.number, each.bytes) == each
    ]
    if not before or max(before) == first.number - 1:
        return None
    ends = (max(before) + 1, first.number - 1)
    return Gap(*(way.segment(number, first.bytes) for number in ends))


def needed(first: Segment, last: Segment) -> list[Segment]:
    """List the segments from one to another, both included."""
    return [
        Segment(first.timeline, number, first.bytes)
        for number in range(first.number, last.number + 1)
    ]
