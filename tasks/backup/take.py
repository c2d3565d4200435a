"""Take a base backup: one streaming pass, sealed, complete only with all of its WAL."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tasks.backup import parent as parents
from tasks.backup import seal, wal
from tasks.backup.parent import Parent
from tasks.control import clock
from tasks.control.errors import Corrupt, OpsError
from tasks.postgres import lsn
from tasks.postgres.basebackup import BaseBackup
from tasks.postgres.lock import alone
from tasks.postgres.server import Server, identify
from tasks.repository.model import MEASURE, Backup, BackupId, BackupType, StoredObject, Tablespace
from tasks.repository.seal import Seal
from tasks.repository.stanza import Stanza
from tasks.repository.stream import Sink
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


def take(
    stanza: Stanza,
    kind: BackupType = "full",
    *,
    fast: bool = True,
    progress: Progress = lambda _phase, _done, _all: None,
) -> Backup:
    """Take a backup of the stanza and make it known.

    Args:
        stanza: whose.
        kind: `full`; `differential`, what changed since the last full one; `incremental`, what
            changed since the newest one.
        fast: begin with an immediate checkpoint instead of a spread one.
        progress: told how far it is.

    Returns:
        The backup, which stands in the catalogue.

    Raises:
        Refused: another backup of the stanza is running, the repository belongs to another
            cluster or is full, or there is nothing to build on; see `parent.find`.
        Transient: the server cannot be reached or fell silent.
        Corrupt: WAL of the backup did not reach the repository.

    """
    server, storage = stanza.server(), stanza.catalogue.storage
    began = clock.now()
    with ExitStack() as held:
        held.enter_context(storage.hold("backup", shared=False, stanza=stanza.name))
        held.enter_context(alone(server, "backup"))
        base = parents.find(stanza, server, identify(server), kind)
        if base is not None:
            held.enter_context(stanza.catalogue.reading(base.backup.id))
        take = Take(stanza, server, _name(stanza, kind, began), kind, base, began)
        try:
            made = take.run(fast=fast, progress=progress)
        except BaseException:
            stanza.catalogue.discard(take.id)
            raise
        stanza.catalogue.add(made)
    log.info("backup %s is complete: %d bytes stored", made.id, made.bytes_stored)
    return made


@dataclass(frozen=True)
class Take:
    """One backup while it is taken: of what, as what, and on top of which."""

    stanza: Stanza
    server: Server
    id: BackupId
    kind: BackupType
    parent: Parent | None
    began: datetime

    def run(self, *, fast: bool, progress: Progress) -> Backup:
        """Go through the phases; what comes out is whole, but not in the catalogue yet."""
        phases, stanza, server = Phases(), self.stanza, self.server
        identity, archive = identify(server), wal.open_archive(stanza, server)
        with phases.phase("reserve WAL"):
            wal.pull(stanza, server, switch=False, restart=self.parent is None)
        with phases.phase("copy"):
            copied = self._copy(fast=fast, progress=progress)
        with phases.phase("seal"):
            sealed = self._seal(copied.objects, progress)
        with phases.phase("archive WAL"):
            wal.pull(
                stanza,
                server,
                restart=self.parent is None,
                progress=lambda done, all_: progress("WAL", done, all_),
            )
            _see_that_wal_is_whole(archive, copied, sealed)
        return Backup(
            id=self.id,
            stanza=stanza.name,
            type=self.kind,
            parent=self.parent.backup.id if self.parent else None,
            system_identifier=identity.system_identifier,
            server_version=identity.version_num,
            started_at=self.began,
            finished_at=clock.now(),
            start_lsn=copied.start_lsn,
            stop_lsn=copied.stop_lsn,
            timeline=copied.timeline,
            segment_bytes=archive.segment_bytes,
            objects=copied.objects,
            tablespaces=copied.tablespaces,
            seal=sealed,
            phases=phases.seconds,
            parent_manifest=self.parent.backup.manifest.sha256 if self.parent else None,
        )

    def _copy(self, *, fast: bool, progress: Progress) -> Copied:
        """Store what the server sends, hashed and compressed on the way."""
        objects: list[StoredObject] = []
        done = 0
        with self._opened(fast=fast) as stream:
            for part in stream.parts():
                with self._storing(f"{part.name}.zst", objects) as sink:
                    for block in _blocks(part.chunks):
                        sink.write(block)
                        done += len(block)
                        progress("copy", done, max(stream.estimated_bytes, done))
            spaces = [Tablespace(oid, place) for oid, place in stream.tablespaces.items()]
            return Copied(objects, spaces, stream.start_lsn, stream.stop_lsn, stream.timeline)

    def _seal(self, kept: list[StoredObject], progress: Progress) -> Seal:
        """Seal what the server holds, and store what was measured."""
        sealed, measured = seal.take(
            self.server, self.id, progress=lambda _: progress("seal", 0, 0)
        )
        with self._storing(f"{MEASURE}.zst", kept) as sink:
            sink.write(measured.to_bytes())
        return sealed

    def _storing(self, name: str, kept: list[StoredObject]) -> AbstractContextManager[Sink]:
        catalogue = self.stanza.catalogue
        return catalogue.vault.storing(catalogue.prefix(self.id), name, kept)

    @contextmanager
    def _opened(self, *, fast: bool) -> Iterator[BaseBackup]:
        since = self.parent.manifest if self.parent else None
        try:
            with BaseBackup(self.server, self.id, fast=fast, since=since) as stream:
                yield stream
        except OpsError as error:
            raise parents.told(error, self.parent) if self.parent else error from None


def _name(stanza: Stanza, kind: BackupType, began: datetime) -> BackupId:
    """Return a name whose second is free: of this one, or of the next that no backup bears."""
    taken = stanza.catalogue.stamps()
    while clock.stamp(began) in taken:
        began += timedelta(seconds=1)
    return BackupId(f"{kind}-{clock.stamp(began)}")


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
