"""Legal holds: backups that nothing removes until somebody releases them, by name."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

from pydantic import ConfigDict

from tasks.control import clock
from tasks.control.errors import Corrupt, Refused
from tasks.repository.documents import Documents
from tasks.repository.journal import Journal, is_document
from tasks.repository.journal_state import Entry
from tasks.repository.model import FORMAT, BackupId


DAMAGED_HOLD = "its legal hold is damaged: look at it"

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class LegalHold:
    """A backup that must not go, why, who said so, and when."""

    __pydantic_config__ = _STRICT

    backup: BackupId
    reason: str
    held_by: str
    held_at: datetime
    format: int = FORMAT

    @property
    def spelled(self) -> str:
        """Why and by whom, for people."""
        return f"{self.reason} ({self.held_by})"


@dataclass(frozen=True)
class Release:
    """The end of a legal hold: who ended it, why, when; the hold is None if it was damaged."""

    __pydantic_config__ = _STRICT

    backup: BackupId
    reason: str
    released_by: str
    released_at: datetime
    hold: LegalHold | None
    format: int = FORMAT


@dataclass(frozen=True)
class LegalHolds:
    """The legal holds of one stanza and the records of those that were released, a document each.

    They lie below `legal/`, since `holds/` says who is using what at the moment.
    """

    documents: Documents

    def known(self) -> dict[BackupId, LegalHold | None]:
        """Return the holds by backup; None for one that cannot be believed, which still holds."""
        return {backup: self._read(backup) for backup in sorted(self.ids())}

    def reasons(self) -> dict[BackupId, str]:
        """Return why backups are held, and by whom."""
        return {name: hold.spelled if hold else DAMAGED_HOLD for name, hold in self.known().items()}

    def ids(self) -> set[BackupId]:
        """Return which backups are held."""
        found = self.documents.storage.objects(f"{self._place}held/")
        return {BackupId(PurePath(item.name).stem) for item in found if is_document(item.name)}

    def put(self, hold: LegalHold, source: str | None = None) -> None:
        """Hold a backup; `source` is where a copy of a hold comes from.

        Raises:
            Refused: it is held already; a second hold would take the place of the first.

        """
        if hold.backup in self.ids():
            raise Refused(
                "that backup is under legal hold already",
                stanza=self.documents.stanza,
                seen=f"{hold.backup}: {self.reasons()[hold.backup]}",
                do="leave it, or release it first and hold it for both reasons",
            )
        documents = {self._name(hold.backup): self.documents.put(self._name(hold.backup), hold)}
        self._journal.add(Entry("held", hold.backup, documents, source=source))

    def release(self, backup: BackupId, reason: str, by: str) -> Release:
        """Let a backup go from its hold; a signed record of it stays.

        Raises:
            Refused: it is not held, or others write to the journal.

        """
        held = self.ids()
        if backup not in held:
            raise Refused(
                "that backup is not under legal hold",
                stanza=self.documents.stanza,
                seen=backup,
                expected=", ".join(sorted(held)) or "none is held",
                do="hl7ops backups",
            )
        release = Release(backup, reason, by, clock.now(), self._read(backup))
        at = f"{clock.stamp(release.released_at)}-{release.released_at.microsecond:06d}"
        name = f"{self._place}released/{backup}/{at}.json"
        documents = {name: self.documents.put(name, release)}
        gone = {self._name(backup): self.documents.digest(self._name(backup))}
        self._journal.announce(Entry("released", backup, documents, gone))
        self.documents.storage.delete(self._name(backup))
        return release

    def released(self) -> list[Release]:
        """List the releases, by backup and then by time.

        Raises:
            Corrupt: one of them was edited.

        """
        found = self.documents.storage.objects(f"{self._place}released/")
        return [self.documents.read(Release, e.name) for e in found if is_document(e.name)]

    def see_free(self, backup: BackupId) -> None:
        """See that a backup is not held.

        Raises:
            Refused: it is.

        """
        if backup in self.ids():
            raise Refused(
                "that backup is under legal hold",
                stanza=self.documents.stanza,
                seen=f"{backup}: {self.reasons()[backup]}",
                expected="no hold on what is to go",
                do=f"hl7ops release {backup} --reason R --by NAME, if you may",
            )

    @property
    def _journal(self) -> Journal:
        return Journal(self.documents)

    @property
    def _place(self) -> str:
        return f"{self.documents.stanza}/legal/"

    def _name(self, backup: BackupId) -> str:
        return f"{self._place}held/{backup}.json"

    def _read(self, backup: BackupId) -> LegalHold | None:
        """Return a hold, or None where it was edited, or is of another backup."""
        try:
            hold = self.documents.read(LegalHold, self._name(backup))
        except Corrupt:
            return None
        return hold if hold.backup == backup else None
