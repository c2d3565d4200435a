"""What the repository says of itself: signed documents beside the data, the only truth."""

import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from tasks.control import clock
from tasks.control.errors import Corrupt, Refused
from tasks.repository.keys import Keyring
from tasks.repository.model import FORMAT, Backup, BackupId, Pin, Proof
from tasks.repository.storage import LocalStorage


DOCUMENT = "backup.json"

_ID = re.compile(r"^[a-z]+-\d{8}T\d{6}Z$")

F = TypeVar("F")


@dataclass(frozen=True)
class Claim:
    """Whom the repository belongs to: the cluster, and the key that signs for it."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    stanza: str
    system_identifier: str
    segment_bytes: int
    created_at: datetime
    format: int = FORMAT


@dataclass(frozen=True)
class Damaged:
    """A backup whose document cannot be believed; a person decides what becomes of it."""

    id: BackupId
    problem: str


@dataclass(frozen=True)
class Catalogue:
    """The documents of one stanza in one storage."""

    storage: LocalStorage
    stanza: str
    keyring: Keyring

    def prefix(self, backup: BackupId) -> str:
        """Return where a backup's objects lie."""
        return f"{self.stanza}/backups/{backup}/"

    def claimed(self) -> Claim | None:
        """Return whom this repository belongs to, or None where it is empty."""
        name = f"{self.stanza}/stanza.json"
        if not self.storage.exists(name):
            return None
        data = self.storage.get(name)
        self.keyring.meet(self.stanza, data)
        return self._parsed(Claim, name, data)

    def claim(self, system_identifier: str, segment_bytes: int) -> Claim:
        """Return whom the repository belongs to, written on first use.

        Raises:
            Refused: the repository belongs to another cluster.

        """
        known = self.claimed()
        if known is None:
            known = Claim(self.stanza, system_identifier, segment_bytes, clock.now())
            self._put(f"{self.stanza}/stanza.json", known)
        if known.system_identifier != system_identifier:
            raise Refused(
                "the repository belongs to another cluster",
                stanza=self.stanza,
                seen=f"system identifier {system_identifier}",
                expected=known.system_identifier,
                do="use another stanza or BACKUP_DIR for this cluster",
            )
        return known

    def entries(self) -> list[Backup | Damaged]:
        """List the complete backups, oldest first, those with a damaged document among them."""
        found: list[Backup | Damaged] = []
        for backup in self._ids(with_document=True):
            try:
                found.append(self.get(backup))
            except Corrupt as error:
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
        name = f"{self.prefix(BackupId(wanted))}{DOCUMENT}"
        if not _ID.match(wanted) or not self.storage.exists(name):
            raise Refused(
                "there is no such backup",
                stanza=self.stanza,
                seen=wanted,
                expected=", ".join(self._ids(with_document=True)) or "none is there",
                do="hl7ops backups",
            )
        self.claimed()
        backup = self._read(Backup, name)
        if backup.id != wanted or backup.stanza != self.stanza:
            raise Corrupt("a document stands in another's place", seen=f"{name} is of {backup.id}")
        return backup

    def add(self, backup: Backup) -> None:
        """Make a backup known; its data must be whole already."""
        self._put(f"{self.prefix(backup.id)}{DOCUMENT}", backup)

    def discard(self, backup: BackupId) -> None:
        """Remove a backup: out of the catalogue first, so that no entry is ever without data."""
        self.storage.delete(f"{self.prefix(backup)}{DOCUMENT}")
        for name, _ in self.objects(backup):
            self.storage.delete(name)

    def objects(self, backup: BackupId) -> list[tuple[str, int]]:
        """List the names and sizes of what lies in a backup's place, unfinished objects too."""
        prefix = self.prefix(backup)
        found = [*self.storage.objects(prefix), *self.storage.leftovers(prefix)]
        return [(item.name, item.bytes) for item in found]

    def leftovers(self) -> list[BackupId]:
        """List what lies among the backups without a document: interrupted takes and removals."""
        return self._ids(with_document=False)

    def record(self, proof: Proof) -> None:
        """Keep the record of a verification."""
        name = f"{clock.stamp(proof.started_at)}-{proof.started_at.microsecond:06d}"
        self._put(f"{self.prefix(proof.backup)}proofs/{name}.json", proof)

    def proofs(self, backup: BackupId) -> list[Proof]:
        """List the verifications of a backup, oldest first.

        Raises:
            Corrupt: one of them was edited.

        """
        names = [item.name for item in self.storage.objects(f"{self.prefix(backup)}proofs/")]
        return [self._read(Proof, name) for name in names]

    def pins(self) -> list[Pin]:
        """List the pins."""
        names = [item.name for item in self.storage.objects(f"{self.stanza}/pins/")]
        return [self._read(Pin, name) for name in names]

    def pin(self, pin: Pin) -> None:
        """Keep a backup from retention."""
        self.get(pin.backup)
        self._put(f"{self.stanza}/pins/{pin.backup}.json", pin)

    def unpin(self, backup: BackupId) -> None:
        """Let retention decide over a backup again."""
        self.storage.delete(f"{self.stanza}/pins/{backup}.json")

    def _ids(self, *, with_document: bool) -> list[BackupId]:
        prefix = f"{self.stanza}/backups/"
        names = [item.name.removeprefix(prefix) for item in self.storage.objects(prefix)]
        names += [item.name.removeprefix(prefix) for item in self.storage.leftovers(prefix)]
        every = {name.partition("/")[0] for name in names}
        whole = {name.partition("/")[0] for name in names if name.endswith(f"/{DOCUMENT}")}
        return [BackupId(name) for name in sorted(whole if with_document else every - whole)]

    def _put(self, name: str, fact: object) -> None:
        document = to_jsonable_python(asdict(fact))  # type: ignore[call-overload]
        self.storage.put(name, self.keyring.sign(document))

    def _read(self, kind: type[F], name: str) -> F:
        return self._parsed(kind, name, self.storage.get(name))

    def _parsed(self, kind: type[F], name: str, data: bytes) -> F:
        document = self.keyring.checked(self.stanza, data, name)
        if document.get("format") != FORMAT:
            raise Refused(
                "a document is of another version",
                seen=f"{name}: format {document.get('format')}",
                expected=FORMAT,
                do="use the version of hl7ops that wrote it, or a newer one",
            )
        try:
            fact = TypeAdapter(kind).validate_json(json.dumps(document))
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise Corrupt("a document is not complete", seen=f"{name}: {where}") from None
        return fact
