"""The runbook of what is not as expected."""

from datetime import datetime

from prefect import flow

from blocks.stanza import load_stanza
from flows.report import OFF, publish_checked
from reports.draft import Draft
from tasks.analytics.steps import Site, Told, new_findings
from tasks.control import clock, events


KINDS = {"anomaly": events.ANOMALY, "silence": events.SILENCE}


@flow(name="anomalies", flow_run_name="anomalies of {stanza}", timeout_seconds=3000)
def anomalies(stanza: str = "main", as_of: datetime | None = None) -> int | str:
    """Hold the last hours against what is expected of them, and tell of what is not.

    **Purpose.** To know that an interface fails, slows down or falls silent before a ward calls.

    **Starts** every hour, or by hand.

    **Tells** of each episode once, when it begins: an event that a notification block can be told
    of (`hl7ops notify`). The page says since when, how far off, and by which rule. Where the page
    is blocked, people are told still, but of a connection without its name.

    **Preconditions.** The platform keeps the contract. The first week is only learnt from.

    **A person decides** what follows; the page of the performance report says which connection.

    **Undo.** There is nothing to undo.

    Args:
        stanza: Name of the operated cluster; its blocks bear the same name.
        as_of: The moment that is looked at; empty: now.

    """
    site, draft = load_stanza(stanza), Draft(stanza, "anomalies", clock.now(), as_of)
    if not site.settings.enable_analytics:
        return OFF
    try:
        publish_checked(site, draft, as_of or clock.now())
    finally:
        found = _told(site, draft)
    return len(found)


def _told(site: Site, draft: Draft) -> list[Told]:
    """Tell of what nobody was told of yet; also where the page is blocked."""
    if draft.findings is None:
        return []
    found = new_findings(site, draft.findings, is_published=draft.error is None)
    for each in found:
        events.emit(KINDS[each.kind], draft.stanza, {"subject": each.subject, "text": each.text})
    return found
