"""The runbook of reports."""

from contextlib import suppress
from datetime import datetime

from prefect import flow

from blocks.stanza import load_stanza
from reports.draft import Draft, compose, published
from reports.export import standalone
from reports.publish import progress, reporting
from tasks.analytics.steps import (
    Kind,
    Site,
    check_report,
    keep_report,
    read_findings,
    refresh_rollups,
    require_checks,
)
from tasks.control import clock, events
from tasks.control.errors import OpsError
from tasks.recovery.steps import lend_copy


OFF = "analytics are switched off by ENABLE_ANALYTICS"
"""What a run returns that does nothing, since it is not wanted."""


@flow(name="report", flow_run_name="{kind} report of {stanza}", timeout_seconds=3600)
def report(stanza: str = "main", kind: Kind = "executive", as_of: datetime | None = None) -> str:
    """Read the platform's figures, hold them against what they have to be, publish them.

    **Purpose.** Figures that a person can rely on: nothing is published that did not pass.

    **Starts** by schedule, performance daily, executive and clinical weekly, or by hand.

    **Reads** the contract's views and the rollups, in one snapshot, on the restored copy of
    `ANALYTICS_COPY` or the standby of `ANALYTICS_URL`, where one is set.

    **Preconditions.** The platform keeps the contract: `hl7ops contract check`.

    **A person decides** nothing while it runs. Where a check fails, the page of the failure stands
    in the report's place, and says which; no figure of it is shown.

    **Undo.** There is nothing to undo; what was published before stands in the history.

    Args:
        stanza: Name of the operated cluster; its blocks bear the same name.
        kind: Which report.
        as_of: The moment that windows end before; empty: now.

    """
    site, draft = load_stanza(stanza), Draft(stanza, kind, clock.now(), as_of)
    if not site.settings.enable_analytics:
        return OFF
    return publish_checked(site, draft, as_of or clock.now())


def publish_checked(site: Site, draft: Draft, now: datetime) -> str:
    """Refresh the rollups, read, compose, check, publish and keep; return the verdict."""
    kind, stanza = draft.kind, draft.stanza
    try:
        with reporting(f"{kind}-report-{stanza}", draft, published):
            copy = lend_copy(site)
            draft.refreshed = refresh_rollups(site, clock.now(), progress(f"{kind}-{stanza}"))
            draft.findings = read_findings(site, kind, now, copy, draft.asked.append)
            draft.page = compose(draft)
            draft.checks = check_report(site, draft.findings, draft.page, now)
            require_checks(draft.checks)
    except OpsError:
        events.emit(
            events.BLOCKED, stanza, {"subject": f"no {kind} report", "text": str(draft.error)}
        )
        with suppress(OpsError):
            keep_report(site, {draft.file: standalone(published(draft))})
        raise
    page = published(draft)
    keep_report(site, {draft.file: standalone(page)})
    return page.partition("\n")[0].lstrip("# ")
