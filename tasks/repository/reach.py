"""How far an archive of WAL reaches, and what it lacks by right: so that a loss is told."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from pydantic import ConfigDict

from tasks.control import clock
from tasks.control.errors import Corrupt
from tasks.postgres import lsn
from tasks.postgres.lsn import Segment, segment_named
from tasks.repository.coverage import Gap, Interval
from tasks.repository.documents import Documents
from tasks.repository.journal import Journal
from tasks.repository.model import FORMAT


log = logging.getLogger(__name__)


_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Lacking:
    """Segments that are not archived by right: never had, or let go by retention."""

    __pydantic_config__ = _STRICT

    first: str
    last: str


@dataclass(frozen=True)
class Reach:
    """Where an archive ended when something was last archived, and what it lacks by right.

    `journal` is how many entries the journal of its repository had then.
    """

    __pydantic_config__ = _STRICT

    timeline: int
    position: str
    segment_bytes: int
    reached_at: datetime
    lacking: list[Lacking] = field(default_factory=list)
    journal: int = 0
    format: int = FORMAT

    @property
    def last(self) -> Segment:
        """The last whole segment."""
        end = lsn.segment_at(self.timeline, lsn.parse(self.position), self.segment_bytes)
        return replace(end, number=end.number - 1)

    def excuses(self, gap: Gap) -> bool:
        """Tell whether all of a gap is lacking by right."""
        missing = set(range(gap.first.number, gap.last.number + 1))
        for each in self.lacking:
            ends = [segment_named(name, self.segment_bytes) for name in (each.first, each.last)]
            if ends[0] is not None and ends[1] is not None:
                missing -= set(range(ends[0].number, ends[1].number + 1))
        return not missing


@dataclass(frozen=True)
class Reaches:
    """The document that says how far the archive of a stanza reaches."""

    documents: Documents

    def known(self) -> Reach | None:
        """Return it, or None where nothing was ever archived.

        Raises:
            Corrupt: it was edited, or is damaged.

        """
        if not self.documents.storage.exists(self._name):
            return None
        return self.documents.read(Reach, self._name)

    def note(self, end: Segment, lacking: Sequence[Lacking] = ()) -> None:
        """Note that all before a segment is archived, but for what is lacking."""
        before = self._believed()
        known = before.lacking if before else []
        more = [each for each in lacking if each not in known]
        position = lsn.spell(end.start)
        if before and not more and (before.timeline, before.position) == (end.timeline, position):
            return
        journal, lacking = Journal(self.documents).length, [*known, *more]
        self.documents.put(
            self._name, Reach(end.timeline, position, end.bytes, clock.now(), lacking, journal)
        )

    def let_go(self, segments: Iterable[Segment]) -> None:
        """Note that retention lets segments go, before they are removed."""
        before = self._believed()
        if before is not None:
            more = [each for each in runs(segments) if each not in before.lacking]
            self.documents.put(self._name, replace(before, lacking=[*before.lacking, *more]))

    def _believed(self) -> Reach | None:
        """Return what is to be gone on from; a document that is damaged is begun anew."""
        try:
            return self.known()
        except Corrupt as error:
            log.warning("%s is begun anew: %s", self._name, error)
            return None

    @property
    def _name(self) -> str:
        return f"{self.documents.stanza}/reach.json"


def runs(segments: Iterable[Segment]) -> list[Lacking]:
    """Join segments that follow each other."""
    found: list[tuple[Segment, Segment]] = []
    for segment in sorted(segments):
        if found and found[-1][1].next() == segment:
            found[-1] = (found[-1][0], segment)
        else:
            found.append((segment, segment))
    return [Lacking(first.name, last.name) for first, last in found]


def lacking_before(first: Segment | None, spans: Iterable[Interval]) -> list[Lacking]:
    """Return what is lacking before the segment with which an archive was gone on with."""
    gaps = [span.gap for span in spans if span.first == first and span.gap is not None]
    return [Lacking(gap.first.name, gap.last.name) for gap in gaps]
