"""The steps of the recovery runbooks."""

from tasks.control.steps import step
from tasks.recovery import verify
from tasks.repository.proof import Proof
from tasks.repository.stanza import Stanza


@step("verify", run_name="verify {wanted}")
def verify_backup(stanza: Stanza, wanted: str, progress: verify.Progress) -> Proof:
    """Restore a backup into a scratch cluster and hold it against its seal."""
    return verify.verify(stanza, wanted, progress=progress)
