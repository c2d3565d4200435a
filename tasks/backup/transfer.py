"""From the server's WAL to the archive: by slot, in bounded portions, across promotions."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.backup import lineage, route
from tasks.backup.route import Source
from tasks.control.errors import OpsError, Refused, Transient
from tasks.postgres import lsn, programs, slot
from tasks.postgres.lsn import Segment
from tasks.postgres.server import Server, identify
from tasks.postgres.slot import Slot
from tasks.repository import partial
from tasks.repository.history import History
from tasks.repository.stanza import Stanza
from tasks.repository.wal import Archive, Kept


PORTION = 32
"""Segments fetched at a time: half a gigabyte of scratch space."""

PORTION_TIMEOUT_S = 900

Progress = Callable[[int, int], None]
"""Called with the segments that are archived and those to be archived."""


@dataclass(frozen=True)
class Caught:
    """An archive that has caught up: what was new, and which segment is written now."""

    archive: Archive
    first: Segment | None
    segments: int
    end: Segment


def catch_up(
    stanza: Stanza,
    server: Server,
    folder: Path,
    *,
    switch: bool,
    restart: bool = False,
    progress: Progress = lambda _done, _all: None,
) -> Caught:
    """Archive all whole segments that the archive has not; whoever calls it holds `wal`.

    Args:
        stanza: where to.
        server: where from.
        folder: where WAL may lie meanwhile.
        switch: let the server close the segment that it is writing first.
        restart: where the archive cannot be continued, begin a new interval.
        progress: told of each portion.

    Raises:
        Refused: a gap, another cluster's WAL, a timeline that does not come from the archive's,
            other contents under a known name, or programs that are older than the server.
        Transient: the server cannot be reached or the transfer broke.

    """
    programs.require(stanza.programs, "pg_receivewal", server)
    archive = open_archive(stanza, server)
    kept = archive.kept()
    history = lineage.follow(archive, server, kept, restart=restart)
    source = _source(stanza, server, history, switch=switch, restart=restart)
    wanted = route.way(stanza.name, kept, source, restart=restart)
    transfer = Transfer(stanza, server, archive, kept, folder)
    new, done = 0, 0
    for portion in _portions(wanted):
        new += transfer.run(portion)
        done += len(portion)
        progress(done, len(wanted))
    partial.forget(archive, source.end)
    return Caught(archive, wanted[0] if wanted else None, new, source.end)


def open_archive(stanza: Stanza, server: Server) -> Archive:
    """Return the archive of a server's WAL.

    Raises:
        Refused: the repository belongs to another cluster; or it is empty, though WAL of this
            server was archived before, as where its directory is not mounted.

    """
    identity, catalogue = identify(server), stanza.catalogue
    size = slot.written(server, switch=False).segment_bytes
    claim = catalogue.claim(
        identity.system_identifier, size, lambda: _see_that_none_was_archived(stanza, server)
    )
    return catalogue.archive(claim)


def _see_that_none_was_archived(stanza: Stanza, server: Server) -> None:
    """See that an empty repository is a new one, and not another one that is missing here."""
    found = slot.find(server)
    if found is not None:
        raise Refused(
            "the repository is empty, though WAL of this server was archived before",
            stanza=stanza.name,
            seen=f"nothing in {stanza.catalogue.storage.place}; slot {found.name} is there",
            expected="the repository that it was archived to",
            do="see that BACKUP_DIR or S3_BUCKET is right and mounted; to begin in a new one:"
            f" select pg_drop_replication_slot('{found.name}'), then hl7ops backup full",
        )


def reserve(stanza: Stanza, server: Server, found: Slot | None, *, restart: bool) -> Slot:
    """Return the stanza's slot, made where it is missing, as on a server that was promoted.

    Raises:
        Refused: the slot is lost, and this is no full backup.

    """
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


def _source(
    stanza: Stanza, server: Server, history: History, *, switch: bool, restart: bool
) -> Source:
    """Look what the server has, once the slot keeps it."""
    found = slot.find(server)
    kept = reserve(stanza, server, found, restart=restart)
    at = slot.written(server, switch=switch)
    if at.timeline != history.timeline:
        raise Transient(
            "another server has taken over meanwhile",
            stanza=stanza.name,
            seen=f"timeline {at.timeline}",
            expected=f"timeline {history.timeline}",
            do="try again",
        )
    reserved = lsn.parse(kept.restart_lsn or "0/0") // at.segment_bytes
    return Source(history, at.segment, slot.present(server), reserved, is_new=kept != found)


def _portions(segments: list[Segment]) -> Iterator[list[Segment]]:
    """Yield the segments in portions of one timeline each."""
    portion: list[Segment] = []
    for segment in segments:
        if portion and (len(portion) == PORTION or portion[-1].next() != segment):
            yield portion
            portion = []
        portion.append(segment)
    if portion:
        yield portion


@dataclass(frozen=True)
class Transfer:
    """Where WAL is fetched from, where it lies meanwhile, and the archive that it goes into."""

    stanza: Stanza
    server: Server
    archive: Archive
    kept: dict[Segment, Kept]
    spool: Path

    def run(self, portion: list[Segment]) -> int:
        """Archive segments that follow each other, and let the slot go on; return the new ones."""
        with tempfile.TemporaryDirectory(dir=self.spool) as folder:
            try:
                self._fetch(portion, Path(folder))
                new = sum(self._store(each, Path(folder)) for each in portion)
            except (OpsError, FileNotFoundError) as error:
                raise _broken(self.stanza, portion, error) from None
        slot.advance(self.server, portion[-1].end)
        return new

    def _fetch(self, portion: list[Segment], folder: Path) -> None:
        (folder / f"{portion[0].name}.partial").touch()  # pg_receivewal continues what it finds
        arguments = ["-D", folder, "--no-loop", "--no-password"]
        with programs.service_file(self.server) as env:
            programs.run(
                self.stanza.programs,
                "pg_receivewal",
                [*arguments, "--endpos", lsn.spell(portion[-1].end - 1)],
                timeout_s=PORTION_TIMEOUT_S,
                env=env,
            )

    def _store(self, segment: Segment, folder: Path) -> bool:
        data = (folder / segment.name).read_bytes()
        return self.archive.store(segment, data, self.kept.get(segment))


def _broken(stanza: Stanza, portion: list[Segment], error: Exception) -> Exception:
    """Return what breaks a transfer: a program that fails may do so for want of a connection."""
    if isinstance(error, OpsError) and type(error) is not OpsError:
        return error
    return Transient(
        "WAL did not come through",
        stanza=stanza.name,
        seen=f"{portion[0].name} to {portion[-1].name}: {error}",
        do="see that the server runs and keeps its WAL, and try again",
    )
