"""What the repository says of itself: signed documents beside the data, the only truth."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tasks.control.errors import Corrupt, Refused
from tasks.repository import claims
from tasks.repository.cipher import PLAIN, Cipher
from tasks.repository.claims import Claim
from tasks.repository.documents import Documents
from tasks.repository.journal import Journal
from tasks.repository.journal_state import Entry
from tasks.repository.keys import Keyring
from tasks.repository.legal import LegalHold, LegalHolds
from tasks.repository.model import DOCUMENT, FINGERPRINT, ID, Backup, BackupId, Damaged
from tasks.repository.pins import Pin, Pins
from tasks.repository.proof import Proof
from tasks.repository.proofs import PROOFS, Proofs
from tasks.repository.reach import Reaches
from tasks.repository.seal import Fingerprint
from tasks.repository.storage import Storage, see_unlocked
from tasks.repository.stream import Vault
from tasks.repository.wal import Archive


@dataclass(frozen=True)
class Catalogue:
    """The documents of one stanza in one storage."""

    storage: Storage
    stanza: str
    keyring: Keyring
    cipher: Cipher = PLAIN

    @property
    def vault(self) -> Vault:
        """The storage, and how what is kept in it is compressed and encrypted."""
        return Vault(self.storage, self.cipher)

    def archive(self, of: Claim | Backup) -> Archive:
        """Return the archive of the WAL of a cluster: the repository's own, or a backup's."""
        return Archive(self.vault, self.stanza, of.system_identifier, of.segment_bytes)

    def fingerprint(self, backup: Backup) -> Fingerprint:
        """Read what a backup's seal holds of tables and objects.

        Raises:
            Corrupt: it is missing, changed or not complete.
            Refused: it is encrypted and no identity is here.

        """
        return Fingerprint.from_bytes(
            self.vault.read(self.prefix(backup.id), backup.object(FINGERPRINT))
        )

    @property
    def reaches(self) -> Reaches:
        """How far the archive of WAL reaches."""
        return Reaches(self.documents)

    @property
    def documents(self) -> Documents:
        """The documents, and the keys that sign them."""
        return Documents(self.storage, self.stanza, self.keyring)

    @property
    def journal(self) -> Journal:
        """What was done to the backups, entry by entry."""
        return Journal(self.documents)

    def prefix(self, backup: BackupId) -> str:
        """Return where a backup's objects lie."""
        return f"{self.stanza}/backups/{backup}/"

    def claimed(self) -> Claim | None:
        """Return whom this repository belongs to, or None where it is empty."""
        return claims.claimed(self.documents)

    def claim(
        self, identifier: str, segment_bytes: int, before_first: Callable[[], None] = lambda: None
    ) -> Claim:
        """Return whom the repository belongs to, written on first use; raises as `claims.claim`."""
        return claims.claim(self.documents, identifier, segment_bytes, before_first)

    def entries(self) -> list[Backup | Damaged]:
        """List the complete backups, oldest first, those with a damaged document among them.

        What was verified once was complete: without its document it is damaged, not a leftover.
        """
        found: list[Backup | Damaged] = []
        for backup in self._ids():
            try:
                found.append(self._read(backup))
            except Corrupt as error:
                if backup in self._ids():  # else a cleanup was removing it
                    found.append(Damaged(backup, str(error)))
        return sorted(found, key=lambda entry: entry.id.rpartition("-")[2])

    def backups(self) -> list[Backup]:
        """List the complete backups whose documents hold, oldest first."""
        return [entry for entry in self.entries() if isinstance(entry, Backup)]

    def get(self, wanted: str) -> Backup:
        """Return one backup by its id, or the `latest`.

        Raises:
            Refused: there is none.
            Corrupt: its document was edited, is damaged or signed by a stranger.

        """
        if wanted == "latest":
            entries = self.entries()
            if not entries:
                raise Refused("there is no backup", stanza=self.stanza, do="hl7ops backup full")
            wanted = entries[-1].id
        known = self._ids()
        if wanted in known:
            try:
                return self._read(BackupId(wanted))
            except Corrupt:
                known = self._ids()
                if wanted in known:  # else a cleanup was removing it
                    raise
        raise Refused(
            "there is no such backup",
            stanza=self.stanza,
            seen=wanted,
            expected=", ".join(known) or "none is there",
            do="hl7ops backups",
        )

    def _read(self, wanted: BackupId) -> Backup:
        self.claimed()
        name = f"{self.prefix(wanted)}{DOCUMENT}"
        backup = self.documents.read(Backup, name)
        if backup.id != wanted or backup.stanza != self.stanza:
            raise Corrupt("a document stands in another's place", seen=f"{name} is of {backup.id}")
        return backup

    def add(self, backup: Backup) -> None:
        """Make a backup known; its data must be whole already. Raises as `Documents.keep`."""
        name = f"{self.prefix(backup.id)}{DOCUMENT}"
        self.journal.add(Entry("taken", backup.id, {name: self.documents.keep(name, backup)}))

    def discard(self, backup: BackupId) -> None:
        """Remove a backup: first its proofs, which say that it was whole, then its document.

        So at every instant what is listed has its data, and what is not is a leftover. Nothing
        goes, and `Refused` is raised, where it is held by law or the store keeps some of it.
        """
        prefix, names = self.prefix(backup), [name for name, _ in self.objects(backup)]
        self.legal.see_free(backup)
        see_unlocked(self.storage, names)
        self.journal.remove_backup(backup, names)

        def rank(name: str) -> int:
            below = name.removeprefix(prefix)
            return 0 if below.startswith(PROOFS) else 1 if below == DOCUMENT else 2

        for name in sorted(names, key=rank):
            self.storage.delete(name)

    def objects(self, backup: BackupId) -> list[tuple[str, int]]:
        """List the names and sizes of what lies in a backup's place, unfinished objects too."""
        prefix = self.prefix(backup)
        found = [*self.storage.objects(prefix), *self.storage.leftovers(prefix)]
        return [(item.name, item.bytes) for item in found]

    def lacking(self, backup: Backup) -> list[str]:
        """Name the objects of a backup that are missing here, or have another size."""
        sizes, prefix = dict(self.objects(backup.id)), self.prefix(backup.id)
        every = backup.objects
        return [item.name for item in every if sizes.get(prefix + item.name) != item.stored_bytes]

    def stamps(self) -> set[str]:
        """Return the moments that something among the backups is named by."""
        return {name.rpartition("-")[2] for name in self._folders()}

    def leftovers(self) -> list[BackupId]:
        """List what interrupted takes and removals left among the backups."""
        return sorted(self._folders().keys() - set(self._ids()))

    def reading(self, backup: BackupId) -> AbstractContextManager[None]:
        """Hold a backup against removal while the block runs; others may hold it too.

        Raises:
            Refused: it is being removed.

        """
        return self.storage.hold(f"read-{backup}", shared=True, stanza=self.stanza)

    def record(self, proof: Proof) -> None:
        """Keep the record of a verification."""
        Proofs(self.documents).record(proof)

    def proofs(self, backup: BackupId) -> list[Proof]:
        """List the verifications of a backup, oldest first; raises as `Proofs.of`."""
        return Proofs(self.documents).of(backup)

    def last_proof(self, backup: BackupId) -> Proof | Damaged | None:
        """Return what the verifications of a backup that ran say; None: it was never verified."""
        return self.last_proofs([backup])[backup]

    def last_proofs(self, backups: Iterable[BackupId]) -> dict[BackupId, Proof | Damaged | None]:
        """Return that of each of some backups; see `Proofs.last`."""
        return Proofs(self.documents).last(backups)

    @property
    def pins(self) -> Pins:
        """The pins, which keep backups from retention."""
        return Pins(self.documents)

    @property
    def legal(self) -> LegalHolds:
        """The legal holds, which keep backups from everything."""
        return LegalHolds(self.documents)

    def pin(self, pin: Pin | LegalHold, source: str | None = None) -> None:
        """Keep a backup, by a pin or by law; `Refused` where it is not there, or on its way out."""
        self.get(pin.backup)
        with self.reading(pin.backup):
            self.get(pin.backup)
            if isinstance(pin, Pin):
                self.pins.put(pin, source)
            else:
                self.legal.put(pin, source)

    def _ids(self) -> list[BackupId]:
        """List the backups that are, or were, whole: with a document or proofs, pinned or held."""
        whole = {
            backup
            for backup, names in self._folders().items()
            if any(name == DOCUMENT or name.startswith(PROOFS) for name in names)
        }
        return sorted(whole | self.pins.ids() | self.legal.ids())

    def _folders(self) -> dict[BackupId, list[str]]:
        """Return what lies among the backups, by backup; what has another name is not ours."""
        prefix = f"{self.stanza}/backups/"
        found: dict[BackupId, list[str]] = {}
        for item in [*self.storage.objects(prefix), *self.storage.leftovers(prefix)]:
            backup, _, name = item.name.removeprefix(prefix).partition("/")
            if ID.match(backup):
                found.setdefault(BackupId(backup), []).append(name)
        return found
