"""What a look at a whole repository finds: damage, and what is only worth knowing."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tasks.control.errors import Corrupt


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be: what it is about, and what is wrong with it."""

    subject: str
    said: str

    def __str__(self) -> str:
        """Spell it in a line."""
        return f"{self.subject}: {self.said}"


@dataclass
class Inspection:
    """What was looked at in a repository and what was found; damage makes it fail."""

    damage: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    backups: int = 0
    objects: int = 0
    segments: int = 0
    bytes: int = 0

    def bad(self, subject: str, said: object) -> None:
        """Note damage."""
        self.damage.append(Finding(subject, str(said)))

    def note(self, subject: str, said: str) -> None:
        """Note what is worth knowing, and no damage."""
        self.notes.append(Finding(subject, said))

    def require(self, stanza: str, place: str) -> None:
        """See that nothing is damaged.

        Raises:
            Corrupt: something is; names the first of it.

        """
        if self.damage:
            raise Corrupt(
                "the repository is damaged",
                stanza=stanza,
                seen=f"{_first(self.damage)} in {place}",
                expected="catalogue, data and WAL that agree with each other",
                do="hl7ops repository check tells all of it; a full backup begins a new chain",
            )


def _first(damage: Sequence[Finding]) -> str:
    rest = f", and {len(damage) - 1} more" if len(damage) > 1 else ""
    return f"{damage[0]}{rest}"
