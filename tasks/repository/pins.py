"""Pins: backups that retention must keep, and why."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

from pydantic import ConfigDict

from tasks.control.errors import Corrupt, Refused
from tasks.repository.documents import Documents
from tasks.repository.model import FORMAT, BackupId


@dataclass(frozen=True)
class Pin:
    """A backup that retention must keep, and why."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    backup: BackupId
    reason: str
    pinned_at: datetime
    format: int = FORMAT


@dataclass(frozen=True)
class Pins:
    """The pins of one stanza, a document each."""

    documents: Documents

    def reasons(self) -> dict[BackupId, str]:
        """Return why backups are pinned; a pin that cannot be believed still holds."""
        found = {}
        for backup, name in self._names().items():
            try:
                found[backup] = self.documents.read(Pin, name).reason
            except Corrupt:
                found[backup] = "its pin is damaged: look at it"
        return found

    def ids(self) -> set[BackupId]:
        """Return which backups are pinned."""
        return set(self._names())

    def put(self, pin: Pin) -> None:
        """Keep a backup from retention."""
        self.documents.put(f"{self._prefix}{pin.backup}.json", pin)

    def remove(self, backup: BackupId) -> None:
        """Let retention decide over a backup again.

        Raises:
            Refused: it is not pinned.

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
        self.documents.storage.delete(names[backup])

    @property
    def _prefix(self) -> str:
        return f"{self.documents.stanza}/pins/"

    def _names(self) -> dict[BackupId, str]:
        names = [item.name for item in self.documents.storage.objects(self._prefix)]
        return {BackupId(PurePath(name).stem): name for name in names}
