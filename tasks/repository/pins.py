"""Pins: backups that retention must keep, why, and until when."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

from pydantic import ConfigDict

from tasks.control.errors import Corrupt, Refused
from tasks.repository.documents import Documents
from tasks.repository.journal import Journal, is_document
from tasks.repository.journal_state import Entry
from tasks.repository.model import FORMAT, BackupId


DAMAGED_PIN = "its pin is damaged: look at it"


@dataclass(frozen=True)
class Pin:
    """A backup that retention must keep, why, and until when; None: until it is unpinned."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    backup: BackupId
    reason: str
    pinned_at: datetime
    expires_at: datetime | None = None
    format: int = FORMAT

    def has_expired(self, now: datetime) -> bool:
        """Tell whether it keeps nothing any more."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True)
class Pins:
    """The pins of one stanza, a document each."""

    documents: Documents

    def known(self) -> dict[BackupId, Pin | None]:
        """Return the pins by backup; None for one that cannot be believed, which still holds."""
        return {backup: self._read(backup, name) for backup, name in self._names().items()}

    def reasons(self) -> dict[BackupId, str]:
        """Return why backups are pinned; a pin that cannot be believed still holds."""
        return {name: pin.reason if pin else DAMAGED_PIN for name, pin in self.known().items()}

    def expired(self, now: datetime) -> list[BackupId]:
        """Return the backups whose pin keeps nothing any more."""
        return [name for name, pin in self.known().items() if pin and pin.has_expired(now)]

    def ids(self) -> set[BackupId]:
        """Return which backups are pinned."""
        return set(self._names())

    def put(self, pin: Pin, source: str | None = None) -> None:
        """Keep a backup from retention; `source` is where a copy of a pin comes from."""
        name = f"{self._prefix}{pin.backup}.json"
        documents = {name: self.documents.put(name, pin)}
        self._journal.add(Entry("pinned", pin.backup, documents, source=source))

    def remove(self, backup: BackupId) -> None:
        """Let retention decide over a backup again.

        Raises:
            Refused: it is not pinned, or others write to the journal.

        """
        names = self._names()
        if backup not in names:
            raise Refused(
                "that backup is not pinned",
                stanza=self.documents.stanza,
                seen=backup,
                expected=", ".join(names) or "none is pinned",
                do="hl7ops backups",
            )
        gone = {names[backup]: self.documents.digest(names[backup])}
        self._journal.announce(Entry("unpinned", backup, gone=gone))
        self.documents.storage.delete(names[backup])

    @property
    def _journal(self) -> Journal:
        return Journal(self.documents)

    @property
    def _prefix(self) -> str:
        return f"{self.documents.stanza}/pins/"

    def _names(self) -> dict[BackupId, str]:
        names = [item.name for item in self.documents.storage.objects(self._prefix)]
        return {BackupId(PurePath(name).stem): name for name in names if is_document(name)}

    def _read(self, backup: BackupId, name: str) -> Pin | None:
        """Return a pin, or None where it was edited, or is of another backup."""
        try:
            pin = self.documents.read(Pin, name)
        except Corrupt:
            return None
        return pin if pin.backup == backup else None
