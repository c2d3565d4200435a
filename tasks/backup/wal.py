"""How the archived WAL stands: what it covers, and how far it is behind the server."""

from dataclasses import dataclass

from tasks.backup.pull import Pulled, covered, is_streaming, pull
from tasks.backup.transfer import Progress, open_archive
from tasks.postgres import lsn, slot
from tasks.postgres.server import Server
from tasks.repository import partial
from tasks.repository.partial import Partial
from tasks.repository.stanza import Stanza
from tasks.repository.wal import Interval


__all__ = [
    "Progress",
    "Pulled",
    "WalStatus",
    "advice",
    "coverage",
    "open_archive",
    "pull",
    "status",
]


@dataclass(frozen=True)
class WalStatus:
    """How the archive stands to the server; sizes in bytes.

    `partial` is the unfinished segment as far as it is kept: what was written after it is lost with
    the server.
    """

    slot: str | None
    slot_status: str | None
    held_bytes: int | None
    safe_bytes: int | None
    advice: str | None
    is_streaming: bool
    partial: Partial | None
    archived_to: str | None
    written_to: str
    behind_bytes: int | None
    intervals: list[Interval]


def status(stanza: Stanza, server: Server) -> WalStatus:
    """Tell how the archive stands to the server, changing nothing."""
    found = slot.find(server)
    at = slot.written(server, switch=False)
    archive = open_archive(stanza, server)
    known, unfinished = covered(archive), partial.listed(archive)
    reached = known[-1].last.end if known else None
    return WalStatus(
        slot=found.name if found else None,
        slot_status=found.wal_status if found else None,
        held_bytes=found.held_bytes if found else None,
        safe_bytes=found.safe_bytes if found else None,
        advice=slot.advice(found),
        is_streaming=is_streaming(stanza),
        partial=unfinished[-1] if unfinished else None,
        archived_to=None if reached is None else lsn.spell(reached),
        written_to=lsn.spell(at.position),
        behind_bytes=None if reached is None else max(at.position - reached, 0),
        intervals=known,
    )


def coverage(stanza: Stanza) -> list[Interval]:
    """Return the intervals that the archive covers, without asking the server."""
    claim = stanza.catalogue.claimed()
    return covered(stanza.catalogue.archive(claim)) if claim else []


def advice(server: Server) -> str | None:
    """Return what to change before the server loses WAL, or its disk fills up; None: nothing."""
    return slot.advice(slot.find(server))
