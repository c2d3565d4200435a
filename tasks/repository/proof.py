"""Facts of a proof: what was checked of a backup, how it ended, and the verdict that follows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from pydantic import ConfigDict

from tasks.control import clock
from tasks.control.errors import Corrupt, OpsError
from tasks.control.settings import Depth
from tasks.repository.model import FORMAT, Backup, BackupId, Damaged


Verdict = Literal["proven", "partial", "failed", "error"]
Outcome = Literal["pass", "partial", "fail", "error"]
Tier = Literal["objects", "manifest", "boot", "structure", "contents"]
Word = Literal["unproven", "proven", "partial", "failed", "error"]

TIERS: tuple[Tier, ...] = ("objects", "manifest", "boot", "structure", "contents")
"""From the cheapest to the deepest; each rests on the ones before it."""

DEPTHS: Mapping[Depth, tuple[Tier, ...]] = {
    "objects": TIERS[:2],
    "boot": TIERS[:3],
    "structure": TIERS[:4],
    "contents": TIERS,
}
"""The tiers that a proof goes through, by how deep it is wanted."""

BYTES: tuple[Tier, ...] = ("objects", "manifest", "boot")
"""The tiers about a backup's bytes: where they pass, it recovers. The others compare the copy."""

LEFT_OUT = "what is left out is known"
"""The check that names what is not compared on purpose, or by PostgreSQL's own way."""

SHARE = "the share of today"
"""The check that tells how many tables are compared today, where not all of them are."""

LINE = 300
"""So many signs of what a check saw stand in the text of an error; the report has all of it."""

_WORST: tuple[Outcome, ...] = ("fail", "error", "partial", "pass")

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
    depth: Depth = "contents"
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
        check is never a pass. `partial` where all of that holds for a part only: not everything
        was sealed, or no deeper proof was wanted.
        """
        if any(check.outcome == "fail" for check in self.checks):
            return "failed"
        ran = {check.tier for check in self.checks}
        missing = set(DEPTHS[self.depth]) - ran
        if missing or any(check.outcome == "error" for check in self.checks):
            return "error"
        is_whole = ran == set(TIERS) and all(check.outcome == "pass" for check in self.checks)
        return "proven" if is_whole else "partial"

    @property
    def is_as_wanted(self) -> bool:
        """Whether it proved all that the proof policy wants: its depth, and the share that is due.

        One that leaves something else open, such as a table that could not be sealed, did not.
        """
        ran = {check.tier for check in self.checks}
        return ran >= set(DEPTHS[self.depth]) and all(
            check.outcome == "pass" or (check.outcome == "partial" and check.name == SHARE)
            for check in self.checks
        )

    def outcome(self, tier: Tier) -> Outcome | None:
        """Return the worst outcome of a tier's checks, or None where it was not run."""
        found = {check.outcome for check in self.checks if check.tier == tier}
        return next((outcome for outcome in _WORST if outcome in found), None)

    @property
    def passed_tiers(self) -> tuple[Tier, ...]:
        """The tiers of which every check passed; one compared in part is not among them."""
        return tuple(tier for tier in TIERS if self.outcome(tier) == "pass")

    @property
    def recovers(self) -> bool:
        """Whether it recovered the backup: all tiers about the bytes passed, if only in part."""
        return all(self.outcome(tier) in ("pass", "partial") for tier in BYTES)

    @property
    def failed_bytes(self) -> list[Check]:
        """The checks of the bytes that failed; one that could not run says nothing against them."""
        return [each for each in self.checks if each.tier in BYTES and each.outcome == "fail"]

    @property
    def failed_comparison(self) -> list[Check]:
        """The checks that found the copy other than its seal, or corrupt as its source was."""
        return [each for each in self.checks if each.tier not in BYTES and each.outcome == "fail"]

    @property
    def refuses_restore(self) -> bool:
        """Whether its bytes failed, so that a restore needs `--accept-failed-proof`."""
        return bool(self.failed_bytes)

    @property
    def has_run(self) -> bool:
        """Whether it found out what becomes of the bytes; else an earlier proof still counts."""
        return self.recovers or any(check.outcome == "fail" for check in self.checks)

    @property
    def open_tiers(self) -> tuple[Tier, ...]:
        """The tiers that it says nothing of, though nothing failed."""
        if any(check.outcome == "fail" for check in self.checks):
            return ()
        return tuple(tier for tier in TIERS if self.outcome(tier) in (None, "error"))

    def completed(self, earlier: "Proof") -> "Proof":
        """Return what both say: of the tiers that this one leaves open, what an earlier one found.

        The bytes are the same, since this one has recovered them. It is dated as the earlier one,
        since not all of it was looked at again.
        """
        said = [
            check
            for check in earlier.checks
            if check.tier in self.open_tiers and check.outcome != "error"
        ]
        if earlier.refuses_restore or not said:
            return self
        found = {check.tier for check in said}
        checks = [check for check in self.checks if check.tier not in found]
        return replace(earlier, checks=[*checks, *said])

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
            seen="; ".join(f"{check.name}: {_on_a_line(check.seen)}" for check in self.failed[:3])
            or "checks are missing",
            expected="every check of every tier to pass",
            do=f"read the report; hl7ops verify {self.backup} runs the checks again",
        )


def _on_a_line(seen: str) -> str:
    return seen if len(seen) <= LINE else f"{seen[:LINE]} ..."


def counting(
    backup: BackupId, newest_first: Iterable[Callable[[], Proof]]
) -> Proof | Damaged | None:
    """Return what the proofs of a backup say, or None where it was never verified.

    That is the newest one that ran. One that could not run neither counts nor condemns: what it
    leaves open is as the one before it found it. Where none ran, it is the newest. One that cannot
    be believed may have failed, so that none before it counts.

    Args:
        backup: which one.
        newest_first: what reads its proofs; they raise `Corrupt` where one cannot be believed.

    """
    newest: Proof | None = None
    counted: Proof | None = None
    for read in newest_first:
        try:
            proof = read()
        except Corrupt as error:
            return counted or Damaged(backup, str(error))
        newest = newest or proof
        if proof.has_run:
            counted = counted.completed(proof) if counted else proof
        if counted and not counted.open_tiers:
            return counted
    return counted or newest


def refuses(last: Proof | Damaged | None) -> bool:
    """Tell whether the bytes of a backup failed its last proof; a comparison refuses nothing."""
    return isinstance(last, Proof) and last.refuses_restore


def word_of(backup: Backup, last: Proof | Damaged | None) -> Word:
    """Return the word for a backup: `unproven` was never verified, or has nothing to compare with.

    A backup without a seal stays unproven whatever passed, unless its bytes failed.
    """
    if last is None or isinstance(last, Damaged):
        return "unproven"
    if not backup.is_sealed and not last.refuses_restore:
        return "unproven"
    return last.verdict


def told_tiers(last: Proof | Damaged | None) -> str:
    """Say which tiers passed, for people."""
    if not isinstance(last, Proof):
        return "-"
    partly = [f"{tier} in part" for tier in TIERS if last.outcome(tier) == "partial"]
    return ", ".join([*last.passed_tiers, *partly]) or "none"
