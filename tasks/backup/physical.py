"""Take a base backup: one streaming pass, sealed, complete only with all of its WAL."""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from tasks.backup import parent as parents
from tasks.backup import seal, wal
from tasks.backup.configuration import files_of, settings_of
from tasks.backup.parent import Parent
from tasks.backup.seal_options import options_of
from tasks.control import clock
from tasks.control.errors import Corrupt, OpsError, Transient, sheltered
from tasks.control.phases import Phases, Progress
from tasks.postgres import auto_conf, lsn, slot
from tasks.postgres.basebackup import MANIFEST, BaseBackup
from tasks.postgres.server import Server, identify
from tasks.repository.model import (
    CONFIGURATION,
    FINGERPRINT,
    Backup,
    BackupId,
    BackupType,
    StoredObject,
    Tablespace,
)
from tasks.repository.seal import Fingerprint, Omission, Seal, unsealed
from tasks.repository.stanza import Stanza
from tasks.repository.stream import Sink
from tasks.repository.wal import Archive, needed


log = logging.getLogger(__name__)

BLOCK_BYTES = 1 << 20
"""How much of the stream is gathered before it is compressed."""


@dataclass(frozen=True)
class Copied:
    """What the server sent: its objects in the repository and the WAL that belongs to them."""

    objects: list[StoredObject]
    tablespaces: list[Tablespace]
    start_lsn: str
    stop_lsn: str
    timeline: int
    settings: dict[str, str]
    configuration_problem: str
    altered: dict[str, str] | None


@dataclass(frozen=True)
class Physical:
    """A physical backup while it is taken: of what, as what, and on top of which."""

    stanza: Stanza
    server: Server
    id: BackupId
    kind: BackupType
    parent: Parent | None
    began: datetime
    fast: bool

    def run(self, progress: Progress) -> Backup:
        """Go through the phases; what comes out is whole, but not in the catalogue yet."""
        phases, stanza, server = Phases(), self.stanza, self.server
        identity, archive = identify(server), wal.open_archive(stanza, server)
        with phases.phase("reserve WAL"):
            self._pull(switch=False)
        with phases.phase("copy"):
            copied = self._copy(progress)
        with phases.phase("seal"):
            sealed = self._seal(copied, progress)
            _require_same_timeline(server, copied)
        with phases.phase("archive WAL"):
            self._pull(lambda done, every: progress("WAL", done, every))
            _require_same_timeline(server, copied)
            _require_wal(archive, copied, sealed)
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
            superuser=identity.superuser,
            settings=copied.settings,
            configuration_problem=copied.configuration_problem,
        )

    def _copy(self, progress: Progress) -> Copied:
        """Store what the server sends, hashed and compressed on the way."""
        objects: list[StoredObject] = []
        done, altered = 0, auto_conf.of_server(self.server)
        with self._opened() as stream:
            for part in stream.parts():
                with self._storing(f"{part.name}.zst", objects) as sink:
                    for block in self._remembered(part.name, _blocks(part.chunks)):
                        sink.write(block)
                        done += len(block)
                        progress("copy", done, max(stream.estimated_bytes, done))
            spaces = [Tablespace(oid, place) for oid, place in stream.tablespaces.items()]
        return Copied(
            objects,
            spaces,
            stream.start_lsn,
            stream.stop_lsn,
            stream.timeline,
            settings_of(self.server),
            self._configuration(objects),
            altered if altered == auto_conf.of_server(self.server) else None,
        )

    def _configuration(self, kept: list[StoredObject]) -> str:
        """Store configuration from outside of the data directory; return what is missing of it."""
        files = files_of(self.server)
        if files.found:
            with self._storing(f"{CONFIGURATION}.zst", kept) as sink:
                sink.write(files.to_tar())
        return files.problem

    def _remembered(self, name: str, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the blocks; remember the manifest where we may not be able to read it again."""
        if name != MANIFEST or not self.stanza.catalogue.cipher.recipients:
            yield from blocks
            return
        gathered = []
        for block in blocks:
            gathered.append(block)
            yield block
        self.stanza.known.keep(self.id, MANIFEST, b"".join(gathered))

    def _pull(
        self, tell: wal.Progress = lambda _done, _every: None, *, switch: bool = True
    ) -> None:
        """Have the WAL archived; a full backup may begin anew where that cannot go on."""
        wal.pull(
            self.stanza,
            self.server,
            switch=switch,
            restart=self.parent is None,
            awaited=True,
            progress=tell,
        )

    def _seal(self, copied: Copied, progress: Progress) -> Seal:
        """Seal what the server holds; whatever fails here, the backup is kept, and says so."""
        try:
            with sheltered():
                sealed, found = seal.take(
                    self.server,
                    self.stanza.programs,
                    self.id,
                    options_of(self.stanza, self.server),
                    progress=lambda _: progress("seal", 0, 0),
                )
        except OpsError as error:
            log.warning("backup %s is not sealed: %s", self.id, error)
            return unsealed(copied.stop_lsn, clock.now(), str(error))
        self._keep(_with_altered(found, copied.altered).to_bytes(), copied.objects)
        return sealed

    def _keep(self, data: bytes, kept: list[StoredObject]) -> None:
        """Store a fingerprint; remember it where we may not be able to read it again."""
        with self._storing(f"{FINGERPRINT}.zst", kept) as sink:
            sink.write(data)
        if self.stanza.catalogue.cipher.recipients:
            self.stanza.known.keep(self.id, FINGERPRINT, data)

    def _storing(self, name: str, kept: list[StoredObject]) -> AbstractContextManager[Sink]:
        catalogue = self.stanza.catalogue
        return catalogue.vault.storing(catalogue.prefix(self.id), name, kept)

    @contextmanager
    def _opened(self) -> Iterator[BaseBackup]:
        since = self.parent.manifest if self.parent else None
        try:
            rate = self.stanza.settings.backup_rate_mib
            with BaseBackup(
                self.server, self.id, fast=self.fast, since=since, rate_mib=rate
            ) as stream:
                yield stream
        except OpsError as error:
            raise parents.told(error, self.parent) if self.parent else error from None


def _with_altered(found: Fingerprint, altered: dict[str, str] | None) -> Fingerprint:
    """Add the settings of `ALTER SYSTEM`, which lie in a file and so were copied at any time."""
    if altered is not None:
        return replace(found, altered=altered)
    unknown = Omission(auto_conf.AUTO_CONF, "it changed while it was copied, or cannot be read")
    return replace(found, omitted=[*found.omitted, unknown])


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


def _require_same_timeline(server: Server, copied: Copied) -> None:
    """See that no other server has taken over since the copy; its WAL would not fit."""
    timeline = slot.written(server, switch=False).timeline
    if timeline != copied.timeline:
        raise Transient(
            "standby promotion in mid-backup",
            stanza=server.stanza,
            seen=f"timeline {timeline}",
            expected=f"timeline {copied.timeline}, on which the copy began",
            do="take another",
        )


def _require_wal(archive: Archive, copied: Copied, sealed: Seal) -> None:
    """See that every segment from the backup's start to its seal is in the repository."""
    kept = archive.kept()
    ends = (lsn.parse(copied.start_lsn), lsn.parse(sealed.end_lsn))
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
