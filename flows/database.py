"""The runbook that sets one database of the live cluster back."""

from prefect import flow, pause_flow_run
from prefect.exceptions import FlowPauseTimeout
from prefect.input import RunInput

from blocks.stanza import load_stanza
from reports.database import Setting, report
from reports.publish import progress, publish, reporting
from tasks.control import clock
from tasks.recovery.steps import database_beside, swap_database


class Approval(RunInput):
    """Who approves, and the name of the database once more."""

    database: str
    approved_by: str


@flow(name="restore-database", flow_run_name="set {database} of {stanza} back")
def restore_database(
    database: str,
    target: str,
    stanza: str = "main",
    wait_minutes: float = 60,
    accept_differences: bool = False,  # noqa: FBT001, FBT002 - a field of the form
) -> str | None:
    """Set one database of the live cluster back to a point; the others go on.

    **Purpose.** A mishap in one database is undone, without the others losing a write.

    **Starts** by hand.

    **Preconditions.** The point is archived; the worker's disk has room for a copy of the cluster,
    and the server's for one of the database. Roles that it grants to are there.

    **A person decides**: the run pauses and shows which tables differ in rows, now and then. Who
    resumes it gives the name of the database and their own; anything else, or nothing in time, is
    a no, and nothing has changed.

    **Undo.** `hl7ops database rollback DATABASE`, in seconds: what was there is kept under a dated
    name. Where the new one does not stand after the swap, it is rolled back by itself.

    Args:
        database: The database.
        target: The point: a time with its zone, `lsn:`, `xid:`, `name:`, or the id of a backup.
        stanza: Name of the operated cluster; its blocks bear the same name.
        wait_minutes: How long an approval is waited for.
        accept_differences: Go on also where what was loaded differs from what it was.

    """
    site, setting = load_stanza(stanza), Setting(stanza, database, target, clock.now())
    key = f"database-report-{stanza}"
    with (
        reporting(key, setting, report),
        database_beside(
            site,
            database,
            target,
            progress(f"database-{stanza}"),
            accepted=accept_differences,
        ) as setting.found,
    ):
        publish(key, report(setting))
        setting.approved_by, setting.declined = _asked(database, wait_minutes)
        if setting.approved_by:
            setting.done = swap_database(site, database, setting.found)
    return database if setting.done else None


def _asked(database: str, minutes: float) -> tuple[str | None, str | None]:
    """Wait for an approval; return who gave it, or why it was none."""
    try:
        answer = pause_flow_run(wait_for_input=Approval, timeout=round(minutes * 60))
    except FlowPauseTimeout:
        return None, f"nobody answered within {minutes:g} minutes"
    by = answer.approved_by.strip()
    if answer.database != database or not by:
        return None, f"{by or 'somebody without a name'} answered with another name"
    return by, None
