"""Look at a whole repository: catalogue, data and WAL are held against each other, both ways."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tasks.control.errors import Corrupt, OpsError, Refused
from tasks.repository.catalogue import Catalogue
from tasks.repository.chain import links_of
from tasks.repository.findings import Inspection
from tasks.repository.model import DOCUMENT, Backup, BackupId, Damaged, StoredObject
from tasks.repository.pages import FOLDER
from tasks.repository.proofs import PROOFS
from tasks.repository.stream import CHUNK_BYTES
from tasks.repository.wal_check import WalCheck


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
        self._abandoned()
        self._claim(backups)
        self._strangers(backups)

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
        try:
            self.catalogue.proofs(backup.id)
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
            if below != DOCUMENT and not below.startswith(PROOFS):
                self.found.bad(backup.id, f"holds an object that it does not know: {below}")
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

    def _abandoned(self) -> None:
        """Look at data without a document; while a backup is taken that is as it should be."""
        storage, stanza = self.catalogue.storage, self.catalogue.stanza
        is_taken = storage.held("backup", stanza=stanza)
        for backup in self.catalogue.leftovers():
            if is_taken:
                self.found.note(backup, "is being taken")
            else:
                self.found.bad(backup, "data without a document; cleanup removes what a kill left")

    def _claim(self, backups: list[Backup]) -> None:
        """Look at the WAL of the cluster that the repository belongs to."""
        try:
            claim = self.catalogue.claimed()
        except (Corrupt, Refused) as error:
            self.found.bad("stanza.json", error)
            return
        if claim is None:
            if backups:
                self.found.bad("stanza.json", "is missing, though there are backups")
            return
        WalCheck(
            self.catalogue.archive(claim),
            self.catalogue.reaches,
            backups,
            self.found,
            self.quick,
            self.progress,
        ).run()

    def _strangers(self, backups: list[Backup]) -> None:
        """Look for what nobody knows: of other clusters, or of no kind that is kept here."""
        known = {backup.system_identifier for backup in backups}
        claim = self._claimed_identifier()
        for item in self.catalogue.storage.objects(f"{self.catalogue.stanza}/"):
            parts = item.name.split("/")[1:]
            if parts[0] == "wal" and len(parts) > 1 and parts[1] not in {*known, claim}:
                self.found.bad(item.name, "WAL of another cluster")
            elif parts[0] not in KINDS:
                self.found.bad(item.name, "nothing that is kept here has such a name")
        for name, error in self._damaged_pins():
            self.found.bad(name, error)

    def _claimed_identifier(self) -> str | None:
        try:
            claim = self.catalogue.claimed()
        except OpsError:
            return None
        return claim.system_identifier if claim else None

    def _damaged_pins(self) -> list[tuple[BackupId, str]]:
        return [(i, said) for i, said in self.catalogue.pins.reasons().items() if "damaged" in said]


KINDS = {
    *("stanza.json", "reach.json", "backups", "wal", "wal-partial", "pins", "legal", "released"),
    FOLDER,
}
"""What may lie below a stanza."""
