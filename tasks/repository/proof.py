"""Facts of a proof: what was checked of a backup, how it ended, and the verdict that follows."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import ConfigDict

from tasks.control import clock
from tasks.control.errors import Corrupt, OpsError
from tasks.repository.model import FORMAT, BackupId, Damaged


Verdict = Literal["proven", "partial", "failed", "error"]
Outcome = Literal["pass", "partial", "fail", "error"]
Tier = Literal["objects", "manifest", "boot", "structure", "contents"]

TIERS: tuple[Tier, ...] = ("objects", "manifest", "boot", "structure", "contents")
"""From the cheapest to the deepest; each rests on the ones before it."""

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Check:
    """One check of a proof: what was looked at, how it ended, and what was seen."""

    __pydantic_config__ = _STRICT

    tier: Tier
    name: str
    outcome: Outcome
    seen: str = ""


@dataclass(frozen=True)
class Proof:
    """The record of one verification; the verdict follows from its checks and its depth.

    `journal` is how many entries the journal of its repository had then.
    """

    __pydantic_config__ = _STRICT

    backup: BackupId
    stanza: str
    started_at: datetime
    finished_at: datetime
    checks: list[Check]
    seconds: dict[str, float] = field(default_factory=dict)
    journal: int = field(default=0, compare=False)
    format: int = FORMAT

    @property
    def name(self) -> str:
        """The name of its object, which is its time: what is signed says where it belongs."""
        return f"{clock.stamp(self.started_at)}-{self.started_at.microsecond:06d}.json"

    def require_name(self, name: str) -> None:
        """See that it lies under its own name; under another it would count as older or newer.

        Raises:
            Corrupt: it does not.

        """
        if name.rpartition("/")[2] != self.name:
            raise Corrupt("a proof has another's name", seen=name, expected=self.name)

    @property
    def verdict(self) -> Verdict:
        """`proven` only where every tier has checks and every check passed.

        A check that could not run is an `error`, and so is a tier without a check: a missing
        check is never a pass. `partial` where all of that holds for a part of the tables only,
        since the seal had no time for the others.
        """
        if any(check.outcome == "fail" for check in self.checks):
            return "failed"
        ran = {check.tier for check in self.checks}
        if any(check.outcome == "error" for check in self.checks) or ran != set(TIERS):
            return "error"
        return "partial" if any(check.outcome == "partial" for check in self.checks) else "proven"

    @property
    def failed(self) -> list[Check]:
        """The checks that did not pass."""
        return [check for check in self.checks if check.outcome in ("fail", "error")]

    def require(self) -> None:
        """See that the backup is proven, at least in what was sealed of it.

        Raises:
            Corrupt: the copy is not what was sealed.
            OpsError: some check could not run, so that nothing is known.

        """
        if self.verdict in ("proven", "partial"):
            return
        kind = Corrupt if self.verdict == "failed" else OpsError
        raise kind(
            f"backup {self.backup} is not proven",
            stanza=self.stanza,
            seen="; ".join(f"{check.name}: {check.seen}" for check in self.failed[:3])
            or "checks are missing",
            expected="every check of every tier to pass",
            do=f"read the report; hl7ops verify {self.backup} runs the checks again",
        )


def condemns(last: Proof | Damaged | None) -> bool:
    """Tell whether a backup's last proof speaks against it, as a record that is damaged does."""
    return isinstance(last, Damaged) or (last is not None and last.verdict == "failed")
