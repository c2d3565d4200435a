"""The WAL runbook."""

from prefect import flow

from blocks.stanza import load_stanza
from tasks.backup.steps import copy_wal, pull_wal


@flow(name="wal", flow_run_name="WAL of {stanza}", timeout_seconds=3600)
def wal(stanza: str = "main") -> int:
    """Archive the WAL that the cluster has written since the last pull.

    **Purpose.** What was committed since the last backup can be restored, too; the data that a
    disaster costs is what was written since the last pull.

    **Starts** every minute by schedule.

    **Preconditions.** The cluster answers, and its replication slot has kept every segment since
    the last pull.

    **A person decides** what to do about a gap: the run fails and names it; a full backup begins a
    new interval, and what lies before the gap stays restorable.

    **Undo.** There is nothing to undo: the operated cluster is only read.

    Args:
        stanza: Name of the operated cluster; its blocks bear the same name.

    """
    site = load_stanza(stanza)
    pulled = pull_wal(site)
    copy_wal(site)
    return pulled.segments
