"""Where a server's timeline comes from: asked, held against the archive, and kept there."""

import logging

from tasks.backup import route
from tasks.control.errors import Refused
from tasks.postgres import slot, timeline
from tasks.postgres.lsn import Segment
from tasks.postgres.server import Server
from tasks.repository import history
from tasks.repository.history import History
from tasks.repository.wal import Archive, Kept


log = logging.getLogger(__name__)


def follow(
    archive: Archive, server: Server, kept: dict[Segment, Kept], *, restart: bool
) -> History:
    """Return the history of the server's timeline, archived with those of its ancestors.

    Nothing is changed on a server whose WAL does not belong here.

    Raises:
        Refused: it does not come from the archive's newest timeline, or another history of one of
            its timelines is archived.
        Transient: the server cannot be reached.

    """
    number = slot.written(server, switch=False).timeline
    files = {} if number == 1 else _files(archive.stanza, server, number)
    known = history.parse(number, files[number]) if files else History(number)
    newest = max((each.timeline for each in kept), default=None)
    route.see_that_it_continues(archive.stanza, newest, known, restart=restart)
    for each in sorted(files):
        if archive.store_history(each, files[each]):
            log.info("archived the history of timeline %d", each)
    fork = route.forked_at(kept, known)
    if fork:
        log.warning("stanza %s: %s", archive.stanza, route.told(fork))
    return known


def _files(stanza: str, server: Server, number: int) -> dict[int, bytes]:
    """Ask for the history of a timeline, and for those of its ancestors that the server has."""
    found = timeline.history_files(server, [number])
    if number not in found:
        raise Refused(
            "the server does not have the history of its own timeline",
            stanza=stanza,
            seen=f"no {history.file_name(number)}",
            do="see what removed it from pg_wal",
        )
    ancestors = history.parse(number, found[number]).ancestors
    return found | timeline.history_files(server, [each for each in ancestors if each > 1])
