"""What this machine remembers of backups that it may keep but not read again."""

import re
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from tasks.repository.model import BackupId


@dataclass(frozen=True)
class Known:
    """Manifests and measures of encrypted backups, which the next backup is built on.

    They are no secret from this machine, which has the cluster that they describe; without them,
    and without the identity, the next backup must be a full one.
    """

    folder: Path

    def keep(self, backup: BackupId, name: str, data: bytes) -> None:
        """Remember a small object of a backup."""
        place = self.folder / backup
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = place / f".{name}.{uuid.uuid4().hex[:8]}"
        aside.touch(mode=0o600)
        aside.write_bytes(data)
        aside.replace(place / name)

    def find(self, backup: BackupId, name: str) -> bytes | None:
        """Return what is remembered, or None."""
        try:
            return (self.folder / backup / name).read_bytes()
        except FileNotFoundError:
            return None

    def forget(self, backups: Collection[BackupId]) -> None:
        """Forget all backups but these."""
        for place in self.folder.iterdir() if self.folder.exists() else []:
            if place.name not in backups and re.match(r"^[a-z]+-\d{8}T\d{6}Z$", place.name):
                for file in place.iterdir():
                    file.unlink(missing_ok=True)
                place.rmdir()
