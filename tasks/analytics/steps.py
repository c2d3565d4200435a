"""The steps of the analytics runbooks."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias

from tasks.analytics import alerts, findings, source, watch
from tasks.analytics.alerts import Alert
from tasks.analytics.findings import Findings, Report
from tasks.analytics.gate import gate
from tasks.analytics.gate.check import Check, require
from tasks.analytics.risk import scores
from tasks.analytics.rollups import refresh
from tasks.analytics.rollups.refresh import Refreshed
from tasks.analytics.suppression.cells import THRESHOLD
from tasks.analytics.window import require_past
from tasks.control.phases import Progress
from tasks.control.steps import step
from tasks.postgres.server import Server
from tasks.repository.pages import keep_pages
from tasks.repository.stanza import Stanza


Kind: TypeAlias = Report
"""What a runbook offers to choose from."""

Site: TypeAlias = Stanza
"""What a runbook hands on from step to step."""


Told: TypeAlias = Alert
"""What people are told."""

SMALLEST: int = THRESHOLD
"""No smaller number of patients is told."""


@step("refresh rollups", "refresh rollups of {stanza.name}")
def refresh_rollups(stanza: Stanza, now: datetime, tell: Progress) -> Refreshed:
    """Count the hours of messages and visits that are new, open or not settled."""
    return refresh.refresh(stanza.server(), now, tell=tell)


@step("read findings", "read {report} of {stanza.name}")
def read_findings(
    stanza: Stanza,
    report: Report,
    now: datetime,
    copy: Server | None,
    tell: Callable[[str], None],
) -> Findings:
    """Read what a report is made of, in one snapshot of a standby, a copy or the primary."""
    known = stanza.settings
    place = source.choose(known, stanza.server(), copy)
    limit = known.response_threshold_ms
    return findings.gather(place, report, now=now, limit_ms=limit, tell=tell)


@step("check report", "check report of {stanza.name}")
def check_report(stanza: Stanza, found: Findings, page: str, now: datetime) -> list[Check]:
    """Hold frames and page against what they have to be, by Great Expectations."""
    return gate.checks(stanza.server(), found, page, now)


@step("require checks", "require checks")
def require_checks(checks: list[Check]) -> None:
    """See that every critical check has passed."""
    require(checks)


@step("new findings", "new findings of {stanza.name}")
def new_findings(stanza: Stanza, found: Findings, *, is_published: bool) -> list[Alert]:
    """Return what is not as expected and nobody was told of yet, and remember it.

    A page that is blocked may be so for the name of a connection, which is then left out.
    """
    assert found.watch is not None  # noqa: S101 - an anomalies report has one
    told = alerts.new(stanza.server(), watch.findings(found.watch))
    return told if is_published else [each.nameless for each in told]


@step("score patients", "score patients of {stanza.name}")
def score_patients(stanza: Stanza, now: datetime) -> dict[str, int]:
    """Score every patient in the database, where the scores stay; return how many by band."""
    require_past(now)
    with stanza.server().connect(statement_timeout_s=300) as connection:
        scores.refresh(connection, now)
        return scores.standing(connection)


@step("keep report", "keep report of {stanza.name}")
def keep_report(stanza: Stanza, pages: Mapping[str, str]) -> list[str]:
    """Keep a page in every repository, where it outlives Prefect's retention."""
    return keep_pages(stanza, pages)
