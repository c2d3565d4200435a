"""Look at a whole repository: catalogue, journal, data and WAL against each other, both ways."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from tasks.control.errors import Corrupt, OpsError, Refused
from tasks.repository import claims
from tasks.repository.catalogue import Catalogue
from tasks.repository.chain import links_of
from tasks.repository.findings import Inspection
from tasks.repository.foreign_check import check_foreign, is_stray
from tasks.repository.journal_check import JournalCheck
from tasks.repository.legal import DAMAGED_HOLD
from tasks.repository.model import DOCUMENT, Backup, BackupId, Damaged, StoredObject
from tasks.repository.pins import DAMAGED_PIN
from tasks.repository.proofs import PROOFS, Proofs, is_proof
from tasks.repository.stream import CHUNK_BYTES
from tasks.repository.wal_check import WalCheck


ANEW = "the next backup writes it anew"


Progress = Callable[[str, int, int], None]


def check(
    catalogue: Catalogue,
    *,
    quick: bool = False,
    progress: Progress = lambda _what, _done, _all: None,
) -> Inspection:
    """Hold everything that lies in a repository against what its documents say, both ways.

    Nothing is decrypted but WAL, and that only where the identity is: an object's hash is that of
    its stored bytes.

    Args:
        catalogue: of the repository.
        quick: compare names and sizes, and read no data.
        progress: told how far it is.

    Returns:
        What was found; `require` raises where that is damage.

    Raises:
        Refused, Transient: the repository cannot be read at all, so nothing is known.

    """
    made = RepositoryCheck(catalogue, quick, progress)
    made.run()
    return made.found


@dataclass(frozen=True)
class RepositoryCheck:
    """One look at a repository."""

    catalogue: Catalogue
    quick: bool
    progress: Progress
    found: Inspection = field(default_factory=Inspection)

    def run(self) -> None:
        """Look at documents, then at data, then at WAL, then for what nobody knows."""
        entries = {entry.id: entry for entry in self.catalogue.entries()}
        backups = [entry for entry in entries.values() if isinstance(entry, Backup)]
        every = sum(backup.bytes_stored for backup in backups)
        for entry in entries.values():
            if isinstance(entry, Damaged):
                self.found.bad(entry.id, entry.problem)
            else:
                self._chain(entry, entries)
                self._backup(entry, every)
        self._claim(backups)
        self._documents(backups)
        self._abandoned(JournalCheck(self.catalogue, self.found).run())

    def _chain(self, backup: Backup, entries: Mapping[BackupId, Backup | Damaged]) -> None:
        """Look at what a backup is built on."""

        def find(wanted: BackupId) -> Backup:
            entry = entries.get(wanted)
            if isinstance(entry, Backup):
                return entry
            raise Corrupt(entry.problem if entry else f"there is no backup {wanted}")

        try:
            links_of(backup, find)
        except Corrupt as error:
            self.found.bad(backup.id, error)

    def _backup(self, backup: Backup, every: int) -> None:
        """Look at one backup: its proofs and its objects."""
        self.found.backups += 1
        proofs = Proofs(self.catalogue.documents)
        for name in proofs.names(backup.id):
            try:
                proofs.read(backup.id, name)
            except Corrupt as error:
                self.found.bad(backup.id, error)
        sizes = dict(self.catalogue.objects(backup.id))
        prefix = self.catalogue.prefix(backup.id)
        for item in backup.objects:
            try:
                self._object(prefix, item, sizes.pop(f"{prefix}{item.name}", None))
            except Corrupt as error:
                self.found.bad(backup.id, error)
            self.found.objects += 1
            self.found.bytes += item.stored_bytes
            self.progress("objects", self.found.bytes, every)
        for name in sizes:
            below = name.removeprefix(prefix)
            is_among_proofs = below.startswith(PROOFS)
            if below != DOCUMENT and not (is_among_proofs and is_proof(below)):
                is_noted = is_among_proofs or is_stray(below)
                tell = self.found.note if is_noted else self.found.bad
                tell(backup.id, f"holds an object that it does not know: {below}")
        self._encrypted(backup)

    def _object(self, prefix: str, item: StoredObject, size: int | None) -> None:
        """See that an object is there, as large as it was, with the bytes that were kept."""
        if size is None:
            raise Corrupt("an object is missing from the repository", seen=item.name)
        if size != item.stored_bytes:
            raise Corrupt(
                "an object has another size",
                seen=f"{item.name}: {size} bytes",
                expected=f"{item.stored_bytes} bytes",
            )
        if self.quick:
            return
        digest = hashlib.sha256()
        with self.catalogue.storage.open(f"{prefix}{item.name}") as file:
            try:
                while block := file.read(CHUNK_BYTES):
                    digest.update(block)
            except OSError:
                raise Corrupt("an object cannot be read", seen=item.name) from None
        if digest.hexdigest() != item.sha256:
            raise Corrupt("an object has other contents", seen=item.name, expected="its hash")

    def _encrypted(self, backup: Backup) -> None:
        """Tell a backup that lies open in a repository where all should be encrypted."""
        plain = [item.name for item in backup.objects if not item.is_encrypted]
        if self.catalogue.cipher.recipients and plain:
            self.found.note(backup.id, f"is not encrypted: {', '.join(plain)}")

    def _abandoned(self, lost: Collection[str]) -> None:
        """Look at data without a document; while a backup is taken that is as it should be.

        Where the journal tells of the document, it is lost, and the data may be needed.
        """
        storage, stanza = self.catalogue.storage, self.catalogue.stanza
        is_taken = storage.held("backup", stanza=stanza)
        for backup in self.catalogue.leftovers():
            if f"{self.catalogue.prefix(backup)}{DOCUMENT}" in lost:
                self.found.bad(backup, "data without a document, of which the journal tells")
            elif is_taken:
                self.found.note(backup, "is being taken")
            else:
                self.found.bad(backup, "data without a document; cleanup removes what a kill left")

    def _claim(self, backups: list[Backup]) -> None:
        """Look at the WAL of the cluster that the repository belongs to."""
        try:
            if claims.stored(self.catalogue.documents) is None and backups:
                self.found.bad("stanza.json", f"is missing, though there are backups; {ANEW}")
        except (Corrupt, Refused) as error:
            self.found.bad("stanza.json", f"{error}; {ANEW}")
        try:
            claim = self.catalogue.claimed()
        except (Corrupt, Refused):
            return
        if claim is None:
            return
        WalCheck(
            self.catalogue.archive(claim),
            self.catalogue.reaches,
            backups,
            self.found,
            self.quick,
            self.progress,
        ).run()

    def _documents(self, backups: list[Backup]) -> None:
        """Look at pins, legal holds and releases, and for what nobody wrote."""
        known = {backup.system_identifier for backup in backups}
        check_foreign(self.catalogue, known | self._claimed_identifiers(), self.found)
        for reasons in (self.catalogue.pins.reasons(), self.catalogue.legal.reasons()):
            for name, said in reasons.items():
                if said in (DAMAGED_PIN, DAMAGED_HOLD):
                    self.found.bad(name, said)
        try:
            self.catalogue.legal.released()
        except Corrupt as error:
            self.found.bad("legal", error)

    def _claimed_identifiers(self) -> set[str]:
        try:
            claim = self.catalogue.claimed()
        except OpsError:
            return set()
        return {claim.system_identifier} if claim else set()
