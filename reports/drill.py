"""The report of a drill: what was drawn, what was found of it, and what it took."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reports.page import details, duration, page, size, table
from tasks.control.clock import readable
from tasks.recovery.drill.outcome import Drill


@dataclass
class Rehearsal:
    """What has happened so far in one run of drills."""

    stanza: str
    started_at: datetime
    drills: list[Drill] = field(default_factory=list)
    error: str | None = None


def report(rehearsal: Rehearsal) -> str:
    """Return the page of a run of drills; the first line is the verdict."""
    return page(
        _verdict(rehearsal.stanza, rehearsal.drills),
        f"> {rehearsal.error}" if rehearsal.error else None,
        *(_drill(drill) for drill in rehearsal.drills),
        f"Begun {readable(rehearsal.started_at)}.",
    )


def _verdict(stanza: str, drills: Sequence[Drill]) -> str:
    passed = sum(drill.verdict == "passed" for drill in drills)
    if drills and passed == len(drills):
        return f"# PASSED: {passed} of {len(drills)} drills of stanza {stanza}"
    return f"# NOT PASSED: {passed} of {len(drills)} drills of stanza {stanza}"


def _drill(drill: Drill) -> str:
    noticed = "found by the checks" if drill.noticed else "**not noticed**"
    behind = [] if drill.behind_s is None else [duration(drill.behind_s)]
    rows = [
        ("drawn", f"{drill.target} from {drill.backup}" if drill.target else "nothing"),
        ("seed", str(drill.seed)),
        ("fault brought in", f"{drill.fault}: {noticed}" if drill.fault else "none"),
        ("a cluster that can be written after", duration(drill.rto_s) if drill.rto_s else "-"),
        *(("last heartbeat before the point", each) for each in behind),
        ("restored", size(drill.restored_bytes)),
        ("replayed", size(drill.replayed_bytes)),
        *((name, duration(seconds)) for name, seconds in (drill.seconds or {}).items()),
    ]
    checks = [(check.name, check.outcome, check.seen) for check in drill.checks]
    passed = sum(check.outcome == "pass" for check in drill.checks)
    summary = f"{passed} of {len(checks)} checks passed"
    return page(
        f"## {drill.verdict}: {drill.target or 'nothing was drawn'}",
        f"> {drill.error}" if drill.error else None,
        table(["what", ""], rows),
        details(summary, table(["check", "outcome", "seen"], checks)) if checks else None,
    ).strip()
