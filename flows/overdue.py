"""The runbook of the dead-man's switch."""

from prefect import flow

from blocks.stanza import load_stanza
from tasks.backup.steps import last_proof
from tasks.control.clock import readable
from tasks.control.errors import Refused


@flow(name="overdue", flow_run_name="NO VERIFIED BACKUP of {stanza}", timeout_seconds=600)
def overdue(stanza: str = "main") -> None:
    """Fail in plain sight: no backup of the stanza was proven in time.

    **Purpose.** A red run, with the time of the last proof, where silence would look like health.

    **Starts** by the automation `no verified backup of ...`, 26 hours after the last proof.

    **Preconditions.** None.

    **A person decides**: look at the last run of `backup/full`, and start it by hand.

    **Undo.** There is nothing to undo.

    Args:
        stanza: Name of the operated cluster; its blocks bear the same name.

    """
    last = last_proof(load_stanza(stanza))
    raise Refused(
        "no backup was proven in time",
        stanza=stanza,
        seen=f"the last one at {readable(last)}" if last else "none was ever proven",
        expected="one within 26 hours",
        do="look at the last run of backup/full, then start it by hand",
    )
