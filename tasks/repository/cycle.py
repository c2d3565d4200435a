"""How much of a proof's cycle is done: of which shares of the tables a comparison is recent."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.repository.model import Backup, Damaged
from tasks.repository.proof import Proof


@dataclass(frozen=True)
class Cycle:
    """The shares of the tables that were compared within the cycle, of so many."""

    of: int
    compared: frozenset[int]

    @property
    def is_whole(self) -> bool:
        """Whether each table was compared within the cycle."""
        return len(self.compared) == self.of

    @property
    def told(self) -> str:
        """A sentence: how much was compared, and which shares are open."""
        said = f"{len(self.compared)} of {self.of} shares of the tables within {self.of} days"
        missing = [str(each + 1) for each in range(self.of) if each not in self.compared]
        return said if self.is_whole else f"{said}; open: {', '.join(missing)}"


def cycle(
    proofs: Iterable[tuple[Backup, Proof | Damaged | None]], of: int, now: datetime
) -> Cycle | None:
    """Tell how much of the cycle was compared; None where all is compared each time.

    Args:
        proofs: backups, each with its last proof.
        of: the days of the cycle, `PROOF_CYCLE_DAYS`; a day has one share of the tables.
        now: where the cycle ends.

    """
    if of == 1:
        return None
    recent = [
        backup.seal.share
        for backup, proof in proofs
        if isinstance(proof, Proof)
        and proof.is_as_wanted
        and proof.outcome("contents") in ("pass", "partial")
        and proof.finished_at > now - timedelta(days=of)
    ]
    if any(share.of == 1 for share in recent):
        return Cycle(of, frozenset(range(of)))
    return Cycle(of, frozenset(share.number % of for share in recent if share.of == of))
