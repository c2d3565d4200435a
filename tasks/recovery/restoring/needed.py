"""Which files of the archive a recovery may ask for, and how each of them is fetched."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial as given

from tasks.control.errors import Refused
from tasks.recovery.planning.plan import Plan
from tasks.recovery.restoring.feed import Fetch
from tasks.repository import partial
from tasks.repository.history import file_name
from tasks.repository.wal import Archive, Kept


def needed(plan: Plan, archive: Archive, kept: Mapping[str, Kept]) -> dict[str, Fetch]:
    """Return what a recovery may ask for, by name, and how each is fetched: histories, then WAL.

    Of the segment in which its timeline is left, which is kept as the next one's, it gets what was
    written before: a server that reads ahead ends at a page of a timeline that is not on its way.
    """
    wanted: dict[str, Fetch] = {}
    for timeline in (*plan.way.history.ancestors, plan.way.history.timeline):
        if 1 < timeline <= plan.timeline:
            wanted[file_name(timeline)] = given(archive.fetch_history, timeline)
    for segment in plan.segments:
        fetch: Fetch
        if segment.name in kept:
            fetch = given(archive.fetch, kept[segment.name])
        elif plan.way.unfinished is not None:
            fetch = given(partial.fetch, archive, plan.way.unfinished)
        else:
            continue
        if segment.timeline <= plan.timeline:
            wanted[segment.name] = fetch
        elif (written := (plan.way.history.left(plan.timeline) or 0) - segment.start) > 0:
            asked = replace(segment, timeline=plan.timeline)
            wanted[asked.name] = given(_begin, fetch, written)
    return wanted


def see_that_wal_is_there(plan: Plan, archive: Archive) -> None:
    """See that a cleanup has not removed WAL of a plan before the backup of it was held.

    Raises:
        Refused: it has.

    """
    unfinished = plan.way.unfinished
    there = {*archive.kept(), *([unfinished.segment] if unfinished else [])}
    if gone := [segment.name for segment in plan.segments if segment not in there]:
        raise Refused(
            "WAL was removed while the restore was planned",
            stanza=archive.stanza,
            seen=f"no {gone[0]}",
            do="see what can be recovered now: hl7ops wal status",
        )


def _begin(fetch: Fetch, written: int) -> bytes:
    """Return the first bytes of a segment, with zeros for the others."""
    data = fetch()
    return data[:written].ljust(len(data), b"\0")
