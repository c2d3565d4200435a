"""The restore runbook."""

from prefect import flow

from blocks.stanza import load_stanza
from reports.publish import progress, reporting
from reports.restore import Recovery, report
from tasks.control import clock
from tasks.recovery.steps import Wish, plan_restore, restore_copy


@flow(name="restore", flow_run_name="restore {stanza}", timeout_seconds=24 * 3600)
def restore(  # noqa: PLR0917 - a form has many fields
    stanza: str = "main",
    target: str = "latest",
    to: str | None = None,
    backup: str | None = None,
    timeline: int | None = None,
    exclusive: bool = False,  # noqa: FBT001, FBT002
    replace: bool = False,  # noqa: FBT001, FBT002
    promote: bool = False,  # noqa: FBT001, FBT002
    accept_failed_proof: bool = False,  # noqa: FBT001, FBT002
    dry_run: bool = False,  # noqa: FBT001, FBT002
    repository: str | None = None,
) -> str:
    """Restore the cluster to any point of the kept window, beside the operated one.

    **Purpose.** The platform as it was, to be looked at, or to go on with.

    **Starts** by hand.

    **Preconditions.** The point is archived, and the worker's disk has room for a copy. The
    operated cluster need not run, and is not touched.

    **A person decides** whether the copy is what was wanted: it is paused and read-only until
    `hl7ops restored promote` lets it be written. `dry run` says what would be done. What is not
    known of the backup, or differs, stands in the first line and refuses nothing; where its bytes
    failed, a person says whether that is accepted.

    **Undo.** What was in the directory is moved aside, never deleted; `hl7ops restored undo` moves
    it back.

    Args:
        stanza: Name of the operated cluster; its blocks bear the same name.
        target: Where recovery ends: `latest`, `immediate`, a time with its zone, `lsn:`, `xid:`,
            `name:`, or the id of a backup.
        to: The data directory, as the worker sees it; empty: `restored` in the home.
        backup: Id of the backup to begin with; empty: the newest that leads there.
        timeline: Along which timeline; empty: the newest.
        exclusive: End just before the target.
        replace: Move aside the cluster that is in the directory.
        promote: Let the copy be written at once.
        accept_failed_proof: Restore what can be read where the bytes of the only backup that leads
            there failed, or WAL is missing; what is lost is named.
        dry_run: Say what would be done, and touch nothing.
        repository: `local` or `s3`; empty: the one that takes the backups.

    """
    site, recovery = load_stanza(stanza, repository), Recovery(stanza, target, clock.now())
    wish = Wish(target, to, backup, timeline, exclusive, replace, promote, accept_failed_proof)
    with reporting(f"restore-report-{stanza}", recovery, report):
        recovery.plan = plan_restore(site, wish)
        if not dry_run:
            recovery.done = restore_copy(site, wish, progress(f"restore-{stanza}"))
    return recovery.plan.backup.id
