"""What is kept of a drill in the repositories themselves, where it outlives Prefect's retention."""

from collections.abc import Mapping

from reports import recoverability, recovery_plan
from reports.export import standalone
from reports.recoverability import Board
from tasks.recovery.bearings import Bearings


def files(board: Board, known: Bearings, evidence: str) -> Mapping[str, str]:
    """Return the scoreboard and the plan as pages that stand alone, and the history of drills.

    Args:
        board: what the scoreboard is made from.
        known: what the plan is made from.
        evidence: the signed export.

    """
    return {
        "recoverability.html": standalone(recoverability.report(board)),
        "recovery-plan.html": standalone(recovery_plan.report(known)),
        "evidence.json": evidence,
    }
