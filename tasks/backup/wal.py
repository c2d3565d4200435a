"""Pull WAL into the repository: by slot, in bounded portions, and never past a gap."""

import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tasks.control.errors import Refused
from tasks.postgres import lsn, programs, slot
from tasks.postgres.lsn import Segment
from tasks.postgres.server import Server, identify
from tasks.postgres.slot import Slot
from tasks.repository.stanza import Stanza
from tasks.repository.wal import Archive, Interval, Kept, intervals, needed


log = logging.getLogger(__name__)

PORTION = 32
"""Segments fetched at a time: half a gigabyte of scratch space."""

PORTION_TIMEOUT_S = 900

PATIENCE_S = 60
"""How long a pull waits for another one, such as a backup for that of the minute."""

Progress = Callable[[int, int], None]
"""Called with the segments that are archived and those to be archived."""


@dataclass(frozen=True)
class Pulled:
    """What a pull did: how many segments are new, and how far the archive reaches now."""

    segments: int
    reaches: str
    intervals: list[Interval]


@dataclass(frozen=True)
class WalStatus:
    """How the archive stands to the server."""

    slot: str | None
    slot_status: str | None
    archived_to: str | None
    written_to: str
    behind_bytes: int | None
    intervals: list[Interval]


def pull(
    stanza: Stanza,
    server: Server,
    *,
    switch: bool = True,
    restart: bool = False,
    progress: Progress = lambda _done, _all: None,
) -> Pulled:
    """Archive every whole segment that the server has and the repository has not.

    The slot moves on only after the segments are in the repository, so that no crash loses any.

    Args:
        stanza: where to.
        server: where from.
        switch: let the server close the segment that it is writing, so that all is archived.
        restart: where the archive cannot be continued, begin a new interval, as a full backup does.
        progress: told of each portion.

    Raises:
        Refused: a gap, another cluster's WAL, other contents under a known name, or programs
            that are older than the server.
        Transient: the server cannot be reached or the transfer broke.

    """
    hold = stanza.catalogue.storage.hold
    with hold("wal", shared=False, stanza=stanza.name, patience_s=PATIENCE_S):
        _see_that_programs_serve(stanza, server)
        archive = open_archive(stanza, server)
        kept = archive.kept()
        first = _first_wanted(stanza, server, kept, restart=restart)
        end = slot.written(server, switch=switch).segment
        new, wanted = 0, end.number - first.number
        while first.number < end.number:
            last = Segment(first.timeline, min(first.number + PORTION, end.number) - 1, first.bytes)
            new += _transfer(stanza, server, archive, kept, (first, last))
            slot.advance(server, last.end)
            first = last.next()
            progress(wanted - (end.number - first.number), wanted)
        log.info("archived %d segments of WAL, up to %s", new, lsn.spell(first.start))
        return Pulled(new, lsn.spell(first.start), intervals(archive.kept()))


def status(stanza: Stanza, server: Server) -> WalStatus:
    """Tell how the archive stands to the server, changing nothing."""
    found = slot.find(server)
    at = slot.written(server, switch=False)
    known = intervals(open_archive(stanza, server).kept())
    reached = known[-1].last.end if known else None
    return WalStatus(
        slot=found.name if found else None,
        slot_status=found.wal_status if found else None,
        archived_to=None if reached is None else lsn.spell(reached),
        written_to=lsn.spell(at.position),
        behind_bytes=None if reached is None else max(at.position - reached, 0),
        intervals=known,
    )


def coverage(stanza: Stanza) -> list[Interval]:
    """Return the intervals that the archive covers, without asking the server."""
    claim = stanza.catalogue.claimed()
    if claim is None:
        return []
    return intervals(stanza.catalogue.archive(claim).kept())


def open_archive(stanza: Stanza, server: Server) -> Archive:
    """Return the archive of a server's WAL.

    Raises:
        Refused: the repository belongs to another cluster.

    """
    identity = identify(server)
    size = slot.written(server, switch=False).segment_bytes
    return stanza.catalogue.archive(stanza.catalogue.claim(identity.system_identifier, size))


def reserve(stanza: Stanza, server: Server, *, restart: bool) -> Slot:
    """Return the stanza's slot, made where it is missing.

    Raises:
        Refused: the slot is lost, or was removed, and WAL between the archive and now is gone.

    """
    found = slot.find(server)
    if found is not None and not found.is_lost:
        return found
    if found is not None and not restart:
        raise Refused(
            "the replication slot has lost WAL",
            stanza=stanza.name,
            seen=f"slot {found.name}: {found.wal_status}",
            expected="every segment since the last pull",
            do="hl7ops backup full begins a new interval; raise max_slot_wal_keep_size",
        )
    return slot.create(server)


def _see_that_programs_serve(stanza: Stanza, server: Server) -> None:
    ours, theirs = programs.major(stanza.programs, "pg_receivewal"), identify(server).major
    if ours < theirs:
        raise Refused(
            "the programs are older than the server",
            stanza=stanza.name,
            seen=f"PostgreSQL {ours} in {stanza.programs}",
            expected=f"PostgreSQL {theirs}",
            do="set HL7OPS_PROGRAMS to the directory of that version's programs",
        )


def _first_wanted(
    stanza: Stanza, server: Server, kept: dict[Segment, Kept], *, restart: bool
) -> Segment:
    """Return the segment to begin with: where the slot stands, unless that leaves a gap."""
    begin = reserve(stanza, server, restart=restart).restart_lsn
    at = slot.written(server, switch=False)
    first = lsn.segment_at(at.timeline, lsn.parse(begin or "0/0"), at.segment_bytes)
    if not kept or restart:
        return first
    last = max(kept)
    if last.timeline != first.timeline or first.number > last.number + 1:
        raise Refused(
            "WAL is missing between the archive and the server",
            stanza=stanza.name,
            seen=f"the server has it from {first.name} on",
            expected=last.next().name,
            do="hl7ops backup full begins a new interval; what lies before stays restorable",
        )
    return first


def _transfer(
    stanza: Stanza,
    server: Server,
    archive: Archive,
    kept: dict[Segment, Kept],
    span: tuple[Segment, Segment],
) -> int:
    """Fetch the segments of a span and archive them; return how many were new."""
    first, last = span
    spool = stanza.home.path / "spool"
    spool.mkdir(exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=spool) as folder, programs.service_file(server) as env:
        Path(folder, f"{first.name}.partial").touch()  # pg_receivewal continues what it finds
        programs.run(
            stanza.programs,
            "pg_receivewal",
            ["-D", folder, "--no-loop", "--no-password", "--endpos", lsn.spell(last.end - 1)],
            timeout_s=PORTION_TIMEOUT_S,
            env=env,
        )
        return sum(
            archive.store(segment, Path(folder, segment.name).read_bytes(), kept.get(segment))
            for segment in needed(first, last)
        )
