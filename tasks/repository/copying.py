"""Copy from one repository to another: byte for byte, checked on the way, resumable."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from tasks.control.errors import Corrupt, Refused
from tasks.postgres import lsn
from tasks.repository.catalogue import Catalogue
from tasks.repository.chain import chain_to
from tasks.repository.journal_state import Entry
from tasks.repository.model import DOCUMENT, Backup, BackupId, Damaged, StoredObject
from tasks.repository.proof import Proof, refuses
from tasks.repository.stream import CHUNK_BYTES
from tasks.repository.wal import Archive, Kept


log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]


@dataclass
class Copies:
    """What a copy did."""

    backups: list[BackupId] = field(default_factory=list)
    segments: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Copier:
    """From where to where, and who is told how far it is."""

    source: Catalogue
    target: Catalogue
    progress: Progress = lambda _what, _done, _all: None
    done: Copies = field(default_factory=Copies)

    def run(self, wanted: Sequence[str] = (), *, everything: bool = False) -> Copies:
        """Copy backups with the chains that they are built on, then the WAL that they need.

        Proofs are not copied: what was proven was the source. Pins and legal holds are: who set
        them meant the backup, wherever it lies.

        Args:
            wanted: ids of backups; none: those that are newer than the newest of the target, or the
                newest one where it is empty. One whose copy is not whole, or failed its last proof
                there, is sent again.
            everything: copy all that the target lacks.

        Raises:
            Refused: the target belongs to another cluster, or is being written to.
            Corrupt: what is copied is not what was kept; names the object.

        """
        stanza = self.source.stanza
        claim = self.source.claimed()
        if claim is None:
            raise Refused("there is nothing to copy", stanza=stanza, seen=self.source.storage.place)
        self.target.claim(claim.system_identifier, claim.segment_bytes)
        with ExitStack() as held:
            for name in ("backup", "wal"):
                held.enter_context(self.target.storage.hold(name, shared=False, stanza=stanza))
            for backup in self._wanted(wanted, everything=everything):
                with self.source.reading(backup.id), self.target.reading(backup.id):
                    self._backup(self.source.get(backup.id))
            self._wal()
        log.info("copied %d backups and %d segments", len(self.done.backups), self.done.segments)
        return self.done

    def wal(self) -> Copies:
        """Copy the WAL that the target lacks for what it holds; nothing where it holds nothing."""
        with self.target.storage.hold("wal", shared=False, stanza=self.source.stanza):
            self._wal()
        return self.done

    def _wanted(self, wanted: Sequence[str], *, everything: bool) -> list[Backup]:
        """Return what is to be copied, parents before what is built on them."""
        ours, theirs = self.source.backups(), {each.id for each in self.target.entries()}
        if wanted:
            chosen = [self.source.get(name) for name in wanted]
        elif everything or not ours:
            chosen = ours
        else:
            known = [each for each in ours if each.id in theirs]
            chosen = [b for b in ours if b.finished_at > known[-1].finished_at] if known else []
            chosen = chosen if known else ours[-1:]
        chains = {link.id: link for each in chosen for link in chain_to(self.source, each)}
        bad = self._bad(link for link in chains.values() if link.id in theirs)
        return [link for link in chains.values() if link.id not in theirs or link.id in bad]

    def _bad(self, backups: Iterable[Backup]) -> set[BackupId]:
        """Tell which copies in the target are not good, or on their way out by its journal."""
        every = {each.id: each for each in backups}
        proofs, gone = self.target.last_proofs(every), self.target.journal.read().told.gone
        return {
            name
            for name, each in every.items()
            if _has_failed(proofs[name])
            or self.target.prefix(name) in gone
            or self.target.lacking(each)
        }

    def _backup(self, backup: Backup) -> None:
        """Copy one backup: its objects, then the document that makes it known."""
        prefix = self.source.prefix(backup.id)
        has_failed = _has_failed(self.target.last_proof(backup.id))
        lacking, done = self.target.lacking(backup), 0
        for item in backup.objects:
            if has_failed or item.name in lacking:
                self._object(prefix, item)
            done += item.stored_bytes
            self.progress(f"copy {backup.id}", done, backup.bytes_stored)
        document = f"{prefix}{DOCUMENT}"
        data, place = self.source.storage.get(document), self.source.storage.place
        self.target.storage.put(document, data)
        digest = hashlib.sha256(data).hexdigest()
        self.target.journal.add(Entry("copied", backup.id, {document: digest}, source=place))
        pin, hold = (kept.known().get(backup.id) for kept in (self.source.pins, self.source.legal))
        if pin is not None:
            self.target.pin(pin, place)
        if hold is not None and backup.id not in self.target.legal.ids():
            self.target.pin(hold, place)
        self.done.backups.append(backup.id)

    def _object(self, prefix: str, item: StoredObject) -> None:
        """Copy one object; it takes its name only where its bytes are those that were kept."""
        name, digest = f"{prefix}{item.name}", hashlib.sha256()
        with self.source.storage.open(name) as file, self.target.storage.write(name) as into:
            while block := file.read(CHUNK_BYTES):
                digest.update(block)
                into.write(block)
                self.done.bytes += len(block)
            if digest.hexdigest() != item.sha256:
                raise Corrupt(
                    "an object has other contents",
                    stanza=self.source.stanza,
                    seen=f"{name} in {self.source.storage.place}",
                    expected="its hash",
                    do="verify the backup, and copy another one",
                )

    def _wal(self) -> None:
        """Copy the segments from the first that the target's backups need on."""
        claim, backups = self.source.claimed(), self.target.backups()
        physical = [each for each in backups if each.type != "snapshot"]
        if claim is None or not physical:
            return
        floor = min(lsn.parse(each.start_lsn) for each in physical)
        source, target = self.source.archive(claim), self.target.archive(claim)
        there = target.kept()
        missing = [
            kept
            for segment, kept in sorted(source.kept().items())
            if segment.end > floor and segment not in there
        ]
        self._histories()
        for number, kept in enumerate(missing, 1):
            self._segment(source, kept)
            self.progress("copy WAL", number, len(missing))
        reach = self.source.reaches.known()
        if reach is not None:
            self.target.reaches.note(reach.last.next(), reach.lacking)

    def _histories(self) -> None:
        """Copy the histories of timelines that the target lacks."""
        for item in self.source.storage.objects(f"{self.source.stanza}/wal/"):
            if ".history-" in item.name and not self.target.storage.exists(item.name):
                self.target.storage.put(item.name, self.source.storage.get(item.name))

    def _segment(self, archive: Archive, kept: Kept) -> None:
        """Copy one segment, held against its hash where it can be read here."""
        if self.source.cipher.can_read or not kept.object.endswith(".age"):
            archive.fetch(kept)
        data = self.source.storage.get(kept.object)
        self.target.storage.put(kept.object, data)
        self.done.segments += 1
        self.done.bytes += len(data)


def _has_failed(last: Proof | Damaged | None) -> bool:
    """Tell whether the bytes of a copy failed, or nobody can read what is known of it."""
    return refuses(last) or isinstance(last, Damaged)
