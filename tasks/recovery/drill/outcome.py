"""Facts of a drill: what was drawn, what was found, and how long each phase took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tasks.control.errors import Corrupt, OpsError
from tasks.repository.proof import Check


DrillVerdict = Literal["passed", "failed", "error"]


@dataclass(frozen=True)
class Drill:
    """One drill, as it is kept for the scoreboard.

    Args:
        stanza: of which cluster.
        repository: from which of its repositories.
        seed: what determined backup, point and fault.
        started_at: when it began.
        backup: with which it began.
        chain: how many backups were put together.
        target: the point that was drawn.
        checks: what was checked of the copy.
        fault: what was then done to it, and to what; None: it did not come to that.
        noticed: whether the checks found the fault.
        seconds: how long each phase took.
        restored_bytes: of the copy.
        replayed_bytes: of WAL.
        exposed_s: how far what was archived lay behind when it began, in seconds, by the last
            transaction in it: what a disaster would have cost just then; None: nothing is known.
        behind_s: how far the last heartbeat in the copy lies before the last transaction that it
            replayed, in seconds: what is told of a loss is off by so much; None: none is in it.
        error: why it broke off.

    """

    stanza: str
    repository: str
    seed: int
    started_at: datetime
    backup: str = ""
    chain: int = 0
    target: str = ""
    checks: Sequence[Check] = ()
    fault: str | None = None
    noticed: bool = False
    seconds: Mapping[str, float] | None = None
    restored_bytes: int = 0
    replayed_bytes: int = 0
    exposed_s: float | None = None
    behind_s: float | None = None
    error: str | None = None

    @property
    def verdict(self) -> DrillVerdict:
        """`passed` only where every check passed, and the fault that was brought in was noticed."""
        if any(check.outcome == "fail" for check in self.checks):
            return "failed"
        has_run = self.checks and all(check.outcome == "pass" for check in self.checks)
        if self.error or not has_run or self.fault is None:
            return "error"
        return "passed" if self.noticed else "failed"

    @property
    def rto_s(self) -> float | None:
        """Seconds from the decision to a cluster that can be written; None: it never was."""
        return round(sum(self.seconds.values()), 3) if self.seconds else None

    def require(self) -> None:
        """See that the drill passed.

        Raises:
            Corrupt: the copy was not what it should be, or a fault went unnoticed.
            OpsError: it broke off.

        """
        if self.verdict == "passed":
            return
        bad = [f"{each.name}: {each.seen}" for each in self.checks if each.outcome != "pass"]
        unnoticed = [f"unnoticed: {self.fault}"] if self.fault and not self.noticed else []
        raise (Corrupt if self.verdict == "failed" else OpsError)(
            "the drill did not pass",
            stanza=self.stanza,
            seen=self.error or "; ".join((bad + unnoticed)[:3]),
            expected="a copy at the point, sound, and every fault noticed",
            do=f"look into it now: hl7ops drill --seed {self.seed} does the same again",
        )
