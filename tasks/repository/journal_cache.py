"""What this machine saw of journals: so that reading one is cheap, and a shorter one is noticed."""

import hashlib
import logging
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tasks.repository.journal_state import State


log = logging.getLogger(__name__)

FOLDER = "journal"
"""Beside the keys: it is believed as they are."""


@dataclass(frozen=True)
class CachedState:
    """The state of a journal that this machine saw, and when its repository was claimed."""

    state: State
    claimed_at: str = ""


@cache
def _adapter() -> TypeAdapter[CachedState]:
    return TypeAdapter(CachedState)


@dataclass(frozen=True)
class JournalCache:
    """The file in which this machine keeps what it saw of the journal of one repository."""

    path: Path

    @classmethod
    def of(cls, keys: Path, stanza: str, place: str) -> "JournalCache":
        """Return the file for a stanza in a place."""
        digest = hashlib.sha256(place.encode()).hexdigest()[:16]
        return cls(keys / FOLDER / f"{stanza}-{digest}.json")

    def load(self) -> CachedState:
        """Return what was seen; number 0: nothing, or nobody can read it any more."""
        try:
            return _adapter().validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return CachedState(State())
        except (OSError, ValidationError):
            log.warning("%s cannot be read; the journal is read from its beginning", self.path)
            return CachedState(State())

    def keep(self, seen: CachedState) -> None:
        """Remember what was seen; where that cannot be done, the journal is read again."""
        aside = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex[:8]}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            aside.touch(mode=0o600)
            aside.write_bytes(_adapter().dump_json(seen))
            aside.replace(self.path)
        except OSError as error:
            log.warning("%s cannot be written: %s", self.path, error.strerror)
            aside.unlink(missing_ok=True)
