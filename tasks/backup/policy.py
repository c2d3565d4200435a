"""What retention goes by: the policy of a repository, and what is known of each backup."""

from dataclasses import dataclass
from datetime import MAXYEAR, datetime, timedelta

from tasks.control.clock import readable
from tasks.repository.proof import BYTES, Tier


@dataclass(frozen=True)
class Policy:
    """How long and how many.

    Days of the kept window; full backups and proven chains that are kept however old; days of
    which every point stays restorable, by WAL: None means those of the kept window.
    """

    days: int
    minimum: int
    proven: int = 1
    wal_days: int | None = None

    @property
    def kept_days(self) -> int:
        """Days of which backups are kept: no fewer than those of which every point is."""
        return max(self.days, self.wal_days or 0)

    def window(self, now: datetime) -> datetime:
        """Return where the kept window begins."""
        return now - timedelta(days=self.kept_days)

    def wal_window(self, now: datetime) -> datetime:
        """Return from when on every point stays restorable."""
        return now - timedelta(days=self.days if self.wal_days is None else self.wal_days)


FULL = 4
"""The depth of a proof in which everything passed."""


@dataclass(frozen=True)
class Standing:
    """What is known of one backup besides its own document.

    Which tiers of its last proof passed, and whether its bytes failed it; why it is pinned, and
    until when; who holds it by law, and why; whether somebody reads it; whether its last proof is
    damaged; until when the store itself keeps it.
    """

    passed: tuple[Tier, ...] = ()
    has_failed_bytes: bool = False
    pin: str | None = None
    in_use: bool = False
    is_in_doubt: bool = False
    pinned_until: datetime | None = None
    held: str | None = None
    locked_until: datetime | None = None

    @property
    def recovers(self) -> bool:
        """Whether its last proof recovered it."""
        return not self.has_failed_bytes and set(BYTES) <= set(self.passed)

    @property
    def depth(self) -> int:
        """How deep it is proven: 0 not at all, 1 it recovers, `FULL` all of it.

        Equal contents count for more than sound tables and indexes.
        """
        if not self.recovers:
            return 0
        return 1 + ("structure" in self.passed) + 2 * ("contents" in self.passed)

    def reasons(self, now: datetime) -> list[str]:
        """Return why the backup is kept, whatever its age."""
        until = f" until {readable(self.pinned_until)}" if self.pinned_until else ""
        locked = self.locked_until is not None and self.locked_until > now
        return [
            *([f"under legal hold: {self.held}"] if self.held is not None else []),
            *([f"pinned{until}: {self.pin}"] if self.is_pinned(now) else []),
            *(["in use"] if self.in_use else []),
            *(["its proof is damaged: look at it"] if self.is_in_doubt else []),
            *([f"the store keeps it locked until {_ended(self.locked_until)}"] if locked else []),
        ]

    def is_pinned(self, now: datetime) -> bool:
        """Tell whether a pin keeps it; one that has expired keeps nothing."""
        return self.pin is not None and (self.pinned_until is None or self.pinned_until > now)


def _ended(until: datetime | None) -> str:
    """Spell until when; a lock without an end is spelled as the last year there is."""
    return readable(until) if until and until.year < MAXYEAR else "somebody lets it go"
