"""The verification runbook."""

from prefect import flow

from blocks.stanza import load_stanza
from reports.backup import Chain, report
from reports.publish import progress, reporting
from tasks.backup.steps import find_backup
from tasks.control import clock, events
from tasks.recovery.steps import proof_cycle, verify_backup


@flow(name="verify", flow_run_name="verify {backup} of {stanza}", timeout_seconds=12 * 3600)
def verify(stanza: str = "main", backup: str = "latest", repository: str | None = None) -> str:
    """Prove a backup that was taken before, by restoring it into a scratch cluster.

    **Purpose.** To know that an old backup still restores, or to look again after a failed proof.

    **Starts** by hand.

    **Preconditions.** The home has room for a copy of the cluster. The operated cluster need not
    run.

    **A person decides** what follows from a failed proof: the report names the object, the table or
    the check.

    **Undo.** There is nothing to undo: the scratch cluster is removed in any case.

    Args:
        stanza: Name of the operated cluster; its blocks bear the same name.
        backup: Id of a backup as `hl7ops backups` lists it, or `latest`.
        repository: `local` or `s3`; empty: the one that takes the backups.

    """
    site, chain = load_stanza(stanza, repository), Chain(stanza, clock.now())
    with reporting(f"verify-report-{stanza}", chain, report):
        chain.backup = find_backup(site, backup)
        chain.proof = verify_backup(site, chain.backup.id, progress(f"verify-{stanza}"))
        chain.cycle = proof_cycle(site)
        chain.proof.require()
        if chain.proof.is_as_wanted:
            events.emit(events.VERIFIED, stanza, {"backup": chain.backup.id})
    return chain.backup.id
