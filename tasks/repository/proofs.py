"""The proofs of backups, beside them, and the last one of each, as the journal knows it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import partial

from tasks.control.errors import Corrupt
from tasks.repository.documents import Documents
from tasks.repository.journal import Journal
from tasks.repository.journal_state import Entry, State
from tasks.repository.model import BackupId, Damaged
from tasks.repository.proof import Proof, counting


PROOFS = "proofs/"
"""Below a backup: the records of its verifications, named by their time."""


@dataclass(frozen=True)
class Proofs:
    """The proofs of one stanza in one repository."""

    documents: Documents

    def record(self, proof: Proof) -> None:
        """Keep the record of a verification."""
        journal = Journal(self.documents)
        name = f"{self._folder(proof.backup)}{proof.name}"
        digest = self.documents.put(name, replace(proof, journal=journal.length))
        journal.add(Entry("verified", proof.backup, {name: digest}, verdict=proof.verdict))

    def of(self, backup: BackupId) -> list[Proof]:
        """List the verifications of a backup, oldest first.

        Raises:
            Corrupt: one of them was edited, renamed, or is of another backup.

        """
        return [self.read(backup, name) for name in self.names(backup)]

    def last(self, backups: Iterable[BackupId]) -> dict[BackupId, Proof | Damaged | None]:
        """Return what the verifications of each of some backups say; see `proof.counting`.

        The journal is read once. Where it tells of a newer proof than is there, that one was
        renamed or deleted, and nobody knows how the backup stands.
        """
        state = Journal(self.documents).read().state
        return {backup: self._last(backup, state) for backup in backups}

    def names(self, backup: BackupId) -> list[str]:
        """List the names of the objects that hold proofs of a backup."""
        found = self.documents.storage.objects(self._folder(backup))
        return [item.name for item in found if is_proof(item.name)]

    def read(self, backup: BackupId, name: str) -> Proof:
        """Read one proof of a backup; raises as `of`."""
        proof = self.documents.read(Proof, name)
        if proof.backup != backup or proof.stanza != self.documents.stanza:
            raise Corrupt("a proof stands in another's place", seen=f"{name} is of {proof.backup}")
        proof.require_name(name)
        return proof

    def _last(self, backup: BackupId, state: State) -> Proof | Damaged | None:
        there, known = {*self.names(backup)}, {*state.below(self._folder(backup))}
        gone = {name for name in known - there if not self._is_lost(name)}  # a cleanup removes it
        names = sorted((there | known) - gone, reverse=True)
        return counting(backup, (partial(self._read, backup, name, there) for name in names))

    def _read(self, backup: BackupId, name: str, there: Collection[str]) -> Proof:
        if name not in there:
            raise Corrupt("its newest proof is missing", seen=name)
        return self.read(backup, name)

    def _is_lost(self, name: str) -> bool:
        """Tell whether the journal still tells of a proof that is not there: none removed it."""
        return name in Journal(self.documents).read().state.documents

    def _folder(self, backup: BackupId) -> str:
        return f"{self.documents.stanza}/backups/{backup}/{PROOFS}"


def is_proof(name: str) -> bool:
    """Tell whether an object in the folder of proofs is called like one."""
    last = name.rpartition("/")[2]
    return last.endswith(".json") and not last.startswith(".")
