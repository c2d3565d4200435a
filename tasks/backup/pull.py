"""Pull WAL into the repository once, or leave it to the stream that is on.

A pull and a stream exclude each other by holding `wal`; a pull that meets a stream has nothing to
do.
"""

import logging
import time
from contextlib import ExitStack
from dataclasses import dataclass

from tasks.backup.spool import spooling
from tasks.backup.transfer import Progress, catch_up
from tasks.control.errors import Refused, Transient
from tasks.postgres import lsn, slot
from tasks.postgres.server import Server
from tasks.repository.reach import lacking_before
from tasks.repository.stanza import Stanza
from tasks.repository.wal import Archive, Interval, intervals


log = logging.getLogger(__name__)

PATIENCE_S = 60
"""How long a pull waits for another one, such as a backup for that of the minute."""

STREAM_PATIENCE_S = 300
"""How long a backup waits until a stream has archived its WAL."""

STREAM = "stream"
"""What a stream holds besides `wal`, so that a pull knows whom it meets."""


@dataclass(frozen=True)
class Pulled:
    """What a pull did: how many segments are new, how far the archive reaches, who else is at it.

    Where a stream is on it reaches `None` until something is archived.
    """

    segments: int
    reaches: str | None
    intervals: list[Interval]
    is_streaming: bool = False


def pull(
    stanza: Stanza,
    server: Server,
    *,
    switch: bool = True,
    restart: bool = False,
    awaited: bool = False,
    progress: Progress = lambda _done, _all: None,
) -> Pulled:
    """Archive every whole segment that the server has and the repository has not.

    The slot moves on only after the segments are in the repository, so that no crash loses any.

    Args:
        stanza: where to.
        server: where from.
        switch: let the server close the segment that it is writing, so that all is archived.
        restart: where the archive cannot be continued, begin a new interval, as a full backup does.
        awaited: where a stream is on, wait until it has archived all, instead of leaving it to it.
        progress: told of each portion.

    Raises:
        Refused: a gap, another cluster's WAL, a timeline that does not come from the archive's,
            other contents under a known name, or programs that are older than the server.
        Transient: the server cannot be reached or the transfer broke.

    """
    with ExitStack() as held:
        while not _entered(held, stanza):
            if not awaited or _await_stream(stanza, server, switch=switch):
                return _left_to_the_stream(stanza)
        folder = held.enter_context(spooling(stanza))
        caught = catch_up(stanza, server, folder, switch=switch, restart=restart, progress=progress)
        reaches, known = lsn.spell(caught.end.start), covered(caught.archive)
        log.info("archived %d segments of WAL, up to %s", caught.segments, reaches)
        stanza.catalogue.reaches.note(caught.end, lacking_before(caught.first, known))
        said = slot.advice(slot.find(server))
        if said:
            log.warning("%s", said)
        return Pulled(caught.segments, reaches, known)


def covered(archive: Archive) -> list[Interval]:
    """Return the intervals that an archive covers.

    Where the histories are encrypted and cannot be read here, timelines stand alone.
    """
    try:
        histories = archive.histories()
    except Refused as error:
        log.warning("what joins the timelines is not known here: %s", error)
        histories = {}
    return intervals(archive.kept().keys(), histories)


def is_streaming(stanza: Stanza) -> bool:
    """Tell whether a stream is on."""
    return stanza.catalogue.storage.held(STREAM, stanza=stanza.name)


def _entered(held: ExitStack, stanza: Stanza) -> bool:
    """Hold the WAL, waiting for another pull to end; tell whether, or a stream has it."""
    deadline = time.monotonic() + PATIENCE_S
    hold = stanza.catalogue.storage.hold
    while not is_streaming(stanza):
        try:
            held.enter_context(hold("wal", shared=False, stanza=stanza.name, patience_s=1))
        except Refused as error:
            if time.monotonic() > deadline or "is in use" not in str(error):
                raise
        else:
            return True
    return False


def _left_to_the_stream(stanza: Stanza) -> Pulled:
    """Say how far a stream has come."""
    log.info("streaming is on")
    claim = stanza.catalogue.claimed()
    known = covered(stanza.catalogue.archive(claim)) if claim else []
    return Pulled(0, lsn.spell(known[-1].last.end) if known else None, known, is_streaming=True)


def _await_stream(stanza: Stanza, server: Server, *, switch: bool) -> bool:
    """Wait until a stream has archived all that is written; False: it ended before.

    Raises:
        Transient: it takes too long.

    """
    end = slot.written(server, switch=switch).segment
    deadline = time.monotonic() + STREAM_PATIENCE_S
    while is_streaming(stanza):
        found = slot.find(server)
        if found and lsn.parse(found.restart_lsn or "0/0") >= end.start:
            return True
        if time.monotonic() > deadline:
            raise Transient(
                "the stream does not archive what was written",
                stanza=stanza.name,
                seen=f"slot at {found.restart_lsn if found else 'none'}",
                expected=lsn.spell(end.start),
                do="see what hl7ops wal stream says, and try again",
            )
        time.sleep(0.2)
    return False
