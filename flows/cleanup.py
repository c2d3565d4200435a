"""The cleanup runbook."""

from prefect import flow

from blocks.stanza import load_stanza
from reports.publish import reporting
from reports.retention import Upkeep, report
from tasks.backup.steps import clean_up, clean_up_others, wal_coverage
from tasks.control import clock


@flow(name="cleanup", flow_run_name="clean up {stanza}", timeout_seconds=3600)
def cleanup(stanza: str = "main", dry_run: bool = False) -> int:  # noqa: FBT001, FBT002
    """Remove backups that the retention policy lets go, and WAL that no kept backup needs.

    **Purpose.** Room in the repository, without ever losing a point of the kept window.

    **Starts** daily by schedule, and at the end of each backup.

    **Preconditions.** None: the last proven backup, pinned ones and those in use are never removed.

    **A person decides** about backups whose document is damaged; they are kept until then.

    **Undo.** What was removed is gone; `dry run` shows beforehand exactly what would go. Pin a
    backup to keep it: `hl7ops pin ID --reason ...`.

    Args:
        stanza: Name of the operated cluster; its blocks bear the same name.
        dry_run: Say what would be removed, and remove nothing.

    """
    site, upkeep = load_stanza(stanza), Upkeep(stanza, clock.now())
    with reporting(f"cleanup-report-{stanza}", upkeep, report):
        upkeep.cleaned = clean_up(site, dry_run=dry_run)
        upkeep.cleaned_elsewhere = clean_up_others(site, dry_run=dry_run)
        upkeep.wal = wal_coverage(site)
    return len(upkeep.cleaned.plan.drop)
