"""Take a full base backup: one streaming pass, sealed, complete only with all of its WAL."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tasks.backup import seal, wal
from tasks.control import clock
from tasks.control.errors import Corrupt
from tasks.postgres import lsn
from tasks.postgres.basebackup import BaseBackup
from tasks.postgres.lock import alone
from tasks.postgres.server import Server, identify
from tasks.repository.model import Backup, BackupId, Seal, StoredObject, Tablespace
from tasks.repository.stanza import Stanza
from tasks.repository.stream import storing
from tasks.repository.wal import Archive, needed


log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""Called with the phase, what is done of it and how much there is, in bytes or pieces."""

BLOCK_BYTES = 1 << 20
"""How much of the stream is gathered before it is compressed."""


@dataclass
class Phases:
    """How long each phase took, in seconds."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a phase."""
        began = time.monotonic()
        log.info("%s", name)
        yield
        self.seconds[name] = round(time.monotonic() - began, 3)


@dataclass(frozen=True)
class Copied:
    """What the server sent: its objects in the repository and the WAL that belongs to them."""

    objects: list[StoredObject]
    tablespaces: list[Tablespace]
    start_lsn: str
    stop_lsn: str
    timeline: int


def full(
    stanza: Stanza,
    *,
    fast: bool = True,
    progress: Progress = lambda _phase, _done, _all: None,
) -> Backup:
    """Take a full backup of the stanza and make it known.

    Args:
        stanza: whose.
        fast: begin with an immediate checkpoint instead of a spread one.
        progress: told how far it is.

    Returns:
        The backup, which stands in the catalogue.

    Raises:
        Refused: another backup of the stanza is running, or the repository belongs to another
            cluster or is full.
        Transient: the server cannot be reached or fell silent.
        Corrupt: WAL of the backup did not reach the repository.

    """
    server, storage = stanza.server(), stanza.catalogue.storage
    began = clock.now()
    with storage.hold("backup", shared=False, stanza=stanza.name), alone(server, "backup"):
        backup = _name(stanza, began)
        try:
            made = _taken(stanza, server, backup, began, fast=fast, progress=progress)
        except BaseException:
            stanza.catalogue.discard(backup)
            raise
        stanza.catalogue.add(made)
    log.info("backup %s is complete: %d bytes stored", backup, made.bytes_stored)
    return made


def _taken(
    stanza: Stanza,
    server: Server,
    backup: BackupId,
    began: datetime,
    *,
    fast: bool,
    progress: Progress,
) -> Backup:
    """Go through the phases; what comes out is whole, but not in the catalogue yet."""
    phases = Phases()
    identity, archive = identify(server), wal.open_archive(stanza, server)
    with phases.phase("reserve WAL"):
        wal.pull(stanza, server, switch=False, restart=True)
    with phases.phase("copy"):
        copied = _copy(stanza, server, backup, fast=fast, progress=progress)
    with phases.phase("seal"):
        sealed = seal.take(server, backup, progress=lambda _: progress("seal", 0, 0))
    with phases.phase("archive WAL"):
        wal.pull(
            stanza, server, restart=True, progress=lambda done, all_: progress("WAL", done, all_)
        )
        _see_that_wal_is_whole(archive, copied, sealed)
    return Backup(
        id=backup,
        stanza=stanza.name,
        type="full",
        parent=None,
        system_identifier=identity.system_identifier,
        server_version=identity.version_num,
        started_at=began,
        finished_at=clock.now(),
        start_lsn=copied.start_lsn,
        stop_lsn=copied.stop_lsn,
        timeline=copied.timeline,
        segment_bytes=archive.segment_bytes,
        objects=copied.objects,
        tablespaces=copied.tablespaces,
        seal=sealed,
        phases=phases.seconds,
    )


def _name(stanza: Stanza, began: datetime) -> BackupId:
    """Return a name that nothing lies under: of this second, or of the next that is free."""
    while True:
        backup = BackupId(f"full-{clock.stamp(began)}")
        if not stanza.catalogue.objects(backup):
            return backup
        began += timedelta(seconds=1)


def _copy(
    stanza: Stanza, server: Server, backup: BackupId, *, fast: bool, progress: Progress
) -> Copied:
    """Store what the server sends, hashed and compressed on the way."""
    objects: list[StoredObject] = []
    storage, prefix = stanza.catalogue.storage, stanza.catalogue.prefix(backup)
    done = 0
    with BaseBackup(server, backup, fast=fast) as stream:
        for part in stream.parts():
            with storing(storage, prefix, f"{part.name}.zst", objects) as sink:
                for block in _blocks(part.chunks):
                    sink.write(block)
                    done += len(block)
                    progress("copy", done, max(stream.estimated_bytes, done))
        spaces = [Tablespace(oid, place) for oid, place in stream.tablespaces.items()]
        return Copied(objects, spaces, stream.start_lsn, stream.stop_lsn, stream.timeline)


def _blocks(chunks: Iterator[memoryview]) -> Iterator[bytes]:
    """Gather the server's small chunks into blocks that are worth a compressor's call."""
    gathered, size = [], 0
    for chunk in chunks:
        gathered.append(chunk)
        size += len(chunk)
        if size >= BLOCK_BYTES:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)


def _see_that_wal_is_whole(archive: Archive, copied: Copied, sealed: Seal) -> None:
    """See that every segment from the backup's start to its seal is in the repository."""
    kept = archive.kept()
    ends = (lsn.parse(copied.start_lsn), lsn.parse(sealed.lsn))
    first, last = (lsn.segment_at(copied.timeline, at, archive.segment_bytes) for at in ends)
    missing = [segment.name for segment in needed(first, last) if segment not in kept]
    if missing:
        raise Corrupt(
            "WAL of the backup did not reach the repository",
            stanza=archive.stanza,
            seen=f"missing: {', '.join(missing[:5])}",
            expected=f"{first.name} to {last.name}",
            do="raise max_slot_wal_keep_size, see that nothing else drops the slot, take another",
        )
