"""Which segments to archive: from the archive's end to the server's, across promotions."""

from collections.abc import Collection
from dataclasses import dataclass

from tasks.control.errors import Refused
from tasks.postgres import lsn
from tasks.postgres.lsn import Segment
from tasks.repository.history import History


@dataclass(frozen=True)
class Source:
    """What a server has of WAL: how it came about, where it ends, and what of it is still there.

    The slot keeps all segments from the number `reserved` on; it may have been made only now.
    """

    history: History
    end: Segment
    present: frozenset[str]
    reserved: int
    is_new: bool = False

    def segment(self, number: int) -> Segment:
        """Return the segment of a number on the way to the server's timeline."""
        return self.history.segment(number, self.end.bytes)

    def has(self, number: int) -> bool:
        """Tell whether a segment on that way is still there."""
        return number >= self.reserved or self.segment(number).name in self.present


def see_that_it_continues(
    stanza: str, newest: int | None, history: History, *, restart: bool
) -> None:
    """See that a server's timeline comes from the archive's newest one.

    A full backup may begin anew on a later timeline that branched off before, as after a restore to
    an earlier point; nobody may write on an older one, whose server was left behind by a promotion.

    Args:
        stanza: whose archive.
        newest: the newest timeline of the archive; None: it is empty.
        history: the server's timeline, and the way to it.
        restart: whether a full backup asks.

    Raises:
        Refused: it does not; names both timelines.

    """
    if newest is None or newest in (*history.ancestors, history.timeline):
        return
    is_later = history.timeline > newest
    if restart and is_later:
        return
    begin = "hl7ops backup full begins anew, if this server is the right one"
    leave = "rejoin this server to the one that was promoted, or give it a stanza of its own"
    raise Refused(
        "the server's timeline does not come from the archive's newest one",
        stanza=stanza,
        seen=f"timeline {history.timeline}, after {_listed(history.ancestors)}",
        expected=f"timeline {newest}, or one that comes from it",
        do=begin if is_later else leave,
    )


def forked_at(kept: Collection[Segment], history: History) -> tuple[int, int] | None:
    """Return the timeline, and the position, beyond which the archive holds what was left behind.

    That is WAL of a server that wrote on after its standby's promotion, or that the standby had not
    received; None: there is none.
    """
    newest = max((each.timeline for each in kept), default=0)
    end = history.left(newest)
    if end is None or not any(each.timeline == newest and each.end > end for each in kept):
        return None
    return newest, end


def way(stanza: str, kept: Collection[Segment], source: Source, *, restart: bool) -> list[Segment]:
    """Return the segments to archive, in order, each of the timeline that holds it on the way.

    What the slot keeps is fetched again where it is archived already, and so is the last archived
    segment where the slot is new: they must be the same, else it is another server.

    Args:
        stanza: whose archive.
        kept: what is archived.
        source: what the server has.
        restart: where the archive cannot be continued, begin where the slot stands.

    Raises:
        Refused: segments between the archive and the server are gone, or the server was set back.

    """
    covered = [each.number for each in kept if source.segment(each.number) == each]
    if covered:
        last = max(covered)
        if last >= source.end.number:
            raise _set_back(stanza, source, last)
        numbers = range(_first(last, source), source.end.number)
        if all(source.has(number) for number in numbers):
            return [source.segment(number) for number in numbers]
    if kept and not restart:
        raise _gap(stanza, kept, source)
    return [source.segment(number) for number in range(source.reserved, source.end.number)]


def _first(last: int, source: Source) -> int:
    """Return where to begin, given the last archived segment on the way."""
    if not source.is_new:
        return min(source.reserved, last + 1)
    return last if source.has(last) else last + 1


def _gap(stanza: str, kept: Collection[Segment], source: Source) -> Refused:
    on_way = [each for each in kept if source.segment(each.number) == each]
    wanted = source.segment(max(on_way, key=lambda each: each.number).number + 1 if on_way else 0)
    gone = [n for n in range(wanted.number, source.end.number) if not source.has(n)]
    first = source.segment(max(gone, default=source.reserved - 1) + 1)
    return Refused(
        "WAL is missing between the archive and the server",
        stanza=stanza,
        seen=f"the server has it from {first.name} on",
        expected=wanted.name if on_way else f"what follows {max(kept).name}",
        do="hl7ops backup full begins a new interval; what lies before stays restorable"
        + ("; set wal_keep_size on standbys" if wanted.timeline < source.end.timeline else ""),
    )


def _set_back(stanza: str, source: Source, last: int) -> Refused:
    return Refused(
        "the archive reaches further than the server",
        stanza=stanza,
        seen=f"the server writes {source.end.name}",
        expected=f"beyond {source.segment(last).name}, which is archived",
        do="see whether this is a copy of the server; a copy needs a stanza of its own",
    )


def _listed(timelines: tuple[int, ...]) -> str:
    return ", ".join(map(str, timelines)) or "none"


def told(fork: tuple[int, int]) -> str:
    """Say what a fork means."""
    timeline, end = fork
    return (
        f"timeline {timeline} was left at {lsn.spell(end)}, and the archive has WAL of it beyond"
        " that; what was committed there is not in the server, and stays in the archive"
    )
