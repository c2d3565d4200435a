"""The ingest runbook."""

from prefect import flow

from blocks.stanza import load_stanza
from reports.ingest import Load, report
from reports.publish import reporting
from tasks.control import clock
from tasks.hl7.steps import load_files


@flow(name="ingest", flow_run_name="ingest into {stanza}", timeout_seconds=12 * 3600)
def ingest(paths: list[str], stanza: str = "main", connection: str | None = None) -> int:
    """Load HL7 v2 files into the platform.

    **Purpose.** Messages that came as files stand in the platform, each once; what cannot be read
    is kept in quarantine with a reason, and nothing is dropped.

    **Starts** by hand, or by whatever delivers files.

    **Preconditions.** The worker can read the paths; the platform's database answers.

    **A person decides** what to do with what was quarantined: the report gives the reasons.

    **Undo.** Loading the same files again changes nothing; there is no unloading.

    Args:
        paths: Files and directories, as the worker sees them.
        stanza: Name of the operated cluster; its blocks bear the same name.
        connection: Name of the interface that they came on; empty: told by the sender.

    """
    site, load = load_stanza(stanza), Load(stanza, clock.now())
    with reporting(f"ingest-report-{stanza}", load, report):
        load.counts = load_files(site, paths, connection, lambda _offered: None)
    return load.counts.accepted
