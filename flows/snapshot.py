"""The runbook that loads a snapshot, or a part of it."""

from prefect import flow

from blocks.stanza import load_stanza
from reports.publish import progress, reporting
from reports.restore import Recovery, report
from tasks.control import clock
from tasks.recovery.steps import Part, load_snapshot, plan_snapshot


@flow(name="restore-snapshot", flow_run_name="restore {snapshot}", timeout_seconds=24 * 3600)
def restore_snapshot(  # noqa: PLR0917 - a form has many fields
    snapshot: str,
    stanza: str = "main",
    databases: list[str] | None = None,
    tables: list[str] | None = None,
    to: str | None = None,
    replace: bool = False,  # noqa: FBT001, FBT002
    accept_differences: bool = False,  # noqa: FBT001, FBT002
    dry_run: bool = False,  # noqa: FBT001, FBT002
    repository: str | None = None,
) -> str:
    """Load a snapshot, or chosen databases and tables of it, into a new cluster.

    **Purpose.** One database or table as it was, also of an older version of PostgreSQL.

    **Starts** by hand.

    **Preconditions.** The worker's programs are of the snapshot's version or a newer one, and its
    disk has room. The operated cluster need not run, and is not touched.

    **A person decides** what is taken over from the copy. What was loaded is held against the seal:
    rows, roles, grants, extensions, sequences, large objects and settings. Where something differs
    it is named, and nothing is put in place.

    **Undo.** `hl7ops restored undo` moves back what was in the directory.

    Args:
        snapshot: Its id.
        stanza: Name of the operated cluster; its blocks bear the same name.
        databases: Which databases; where neither these nor tables are given, all.
        tables: Which tables, each as DATABASE.SCHEMA.TABLE.
        to: The data directory, as the worker sees it; empty: `restored` in the home.
        replace: Move aside the cluster that is in the directory.
        accept_differences: Load it also where its bytes failed its last proof, and put it in place
            also where it differs from its seal.
        dry_run: Say what would be done, and touch nothing.
        repository: `local` or `s3`; empty: the one that takes the backups.

    """
    site, recovery = load_stanza(stanza, repository), Recovery(stanza, snapshot, clock.now())
    part = Part(
        snapshot, tuple(databases or ()), tuple(tables or ()), to, replace, accept_differences
    )
    with reporting(f"restore-report-{stanza}", recovery, report):
        recovery.plan = plan_snapshot(site, part)
        if not dry_run:
            recovery.done = load_snapshot(site, part, progress(f"restore-{stanza}"))
    return snapshot
