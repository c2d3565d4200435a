"""Checks of a report, and the verdict that follows: published or blocked."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tasks.control.errors import Corrupt, OpsError
from tasks.control.expectations import Outcome


@dataclass(frozen=True)
class Check:
    """One check: what was looked at, how it ended, and what was seen.

    `seen` holds counts, and names of frames and columns that the rules know; never a value of a
    row. A check that is not critical warns, and blocks nothing.
    """

    name: str
    outcome: Outcome
    is_critical: bool = True
    seen: str = ""

    @property
    def blocks(self) -> bool:
        """Whether the report may not be published."""
        return self.is_critical and self.outcome != "pass"


@dataclass(frozen=True)
class Verdict:
    """What all checks of a report come to; no checks at all prove nothing."""

    checks: tuple[Check, ...]

    @property
    def blocking(self) -> tuple[Check, ...]:
        """The critical checks that did not pass."""
        return tuple(check for check in self.checks if check.blocks)

    @property
    def warnings(self) -> tuple[Check, ...]:
        """The checks that did not pass and block nothing."""
        return tuple(c for c in self.checks if c.outcome != "pass" and not c.is_critical)

    @property
    def outcome(self) -> Outcome:
        """`fail` where a critical check failed, else `error` where one could not run."""
        outcomes = {check.outcome for check in self.blocking}
        if "fail" in outcomes:
            return "fail"
        return "error" if outcomes or not self.checks else "pass"

    @property
    def is_blocked(self) -> bool:
        """Whether the report may not be published."""
        return self.outcome != "pass"


def attempted(name: str, ask: Callable[[], Iterable[Check]]) -> list[Check]:
    """Ask for checks; where asking raises, what was found so far stands beside an error.

    The error bears the name given and the kind of what was raised, never its text, which may quote
    a row.
    """
    found: list[Check] = []
    try:
        for check in ask():
            found += [check]
    except Exception as error:  # noqa: BLE001 - its text may quote a row
        found += [Check(name, "error", seen=f"checking raised {type(error).__name__}")]
    return found


def require(checks: Iterable[Check]) -> None:
    """See that a report may be published.

    Raises:
        Corrupt: a critical check failed.
        OpsError: a critical check could not run, so that nothing is known.

    """
    verdict = Verdict(tuple(checks))
    if not verdict.is_blocked:
        return
    kind = Corrupt if verdict.outcome == "fail" else OpsError
    blocking = verdict.blocking
    rest = f" and {len(blocking) - 3} more" if len(blocking) > 3 else ""  # noqa: PLR2004
    raise kind(
        "the report is not published",
        seen="; ".join(f"{check.name}: {check.outcome}" for check in blocking[:3]) + rest
        or "no check ran",
        expected="every critical check to pass",
        do="read the checks in the page that stands in its place, and run the report again",
    )
