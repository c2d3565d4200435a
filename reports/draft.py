"""A report on its way: what it is made from so far, and the page that stands in its place."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from reports import anomalies, clinical, dashboard, executive, forecast, performance
from reports.page import counted, page, table
from tasks.analytics.findings import Findings, Report
from tasks.analytics.gate.check import Check
from tasks.analytics.rollups.refresh import Refreshed
from tasks.control.clock import readable


PAGES: dict[Report, Callable[[Findings], str]] = {
    "executive": executive.report,
    "clinical": clinical.report,
    "performance": performance.report,
    "dashboard": dashboard.report,
    "forecast": forecast.report,
    "anomalies": anomalies.report,
}


@dataclass
class Draft:
    """What has happened so far in one run, filled in step by step."""

    stanza: str
    kind: Report
    started_at: datetime
    looks_back: datetime | None = None
    """The moment that was asked for; empty: now."""
    refreshed: Refreshed | None = None
    asked: list[str] = field(default_factory=list)
    findings: Findings | None = None
    page: str | None = None
    checks: list[Check] = field(default_factory=list)
    error: str | None = None

    @property
    def file(self) -> str:
        """The name under which its page is kept; a look back takes no place of today's."""
        moment = "" if self.looks_back is None else f"-{self.looks_back:%Y%m%dT%H%M}"
        return f"{self.kind}{moment}.html"

    @property
    def warnings(self) -> list[Check]:
        """The checks that did not pass and block nothing."""
        return [check for check in self.checks if not check.blocks and check.outcome != "pass"]


def compose(draft: Draft) -> str:
    """Return the page of what was read."""
    assert draft.findings is not None  # noqa: S101 - it was read before
    return PAGES[draft.kind](draft.findings)


def published(draft: Draft) -> str:
    """Return the page of a report that passed its checks, or the one that stands in its place."""
    if draft.error is not None or draft.page is None:
        return _failure(draft)
    passed = sum(check.outcome == "pass" for check in draft.checks)
    said = f"Published after {counted(passed, 'check')} passed."
    noted = [f"> noted, {check.name}: {check.seen or check.outcome}" for check in draft.warnings]
    return page(draft.page.rstrip(), "\n".join(noted) or None, said)


def _failure(draft: Draft) -> str:
    blocking = [check for check in draft.checks if check.blocks]
    rows = [
        (check.name, check.outcome, "yes" if check.is_critical else "no", check.seen or "-")
        for check in draft.checks
        if check.outcome != "pass"
    ]
    return page(
        f"# NOT PUBLISHED: {draft.kind} report of {draft.stanza}",
        f"> {draft.error}" if draft.error else None,
        "## How far it came\n\n" + table(("step", "state"), _steps(draft)),
        "## Checks that did not pass\n\n" + table(("check", "outcome", "blocks", "seen"), rows)
        if blocking
        else None,
        f"Begun at {readable(draft.started_at)}. The page before this one stands in the history"
        " of the same artifact; nothing of this run's figures is shown.",
    )


def _steps(draft: Draft) -> list[tuple[str, str]]:
    refreshed = draft.refreshed
    counted_ = f"counted through {readable(refreshed.through)}" if refreshed else "not done"
    if draft.findings is not None:
        read = f"all {len(draft.asked)} questions answered"
    elif draft.asked:
        read = f"{len(draft.asked) - 1} questions answered; broke off at: {draft.asked[-1]}"
    else:
        read = "nothing was asked"
    passed = sum(check.outcome == "pass" for check in draft.checks)
    checked = f"{passed} of {len(draft.checks)} passed" if draft.checks else "not done"
    made = "composed" if draft.page else "not done"
    return [("rollups", counted_), ("reading", read), ("page", made), ("checks", checked)]
