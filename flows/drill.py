"""The runbook of rehearsals."""

from prefect import flow

from blocks.stanza import load_stanza
from reports.drill import Rehearsal, report
from reports.kept import files
from reports.publish import progress, publish, reporting
from reports.recoverability import Board
from reports.recoverability import report as scoreboard
from reports.recovery_plan import report as recovery_plan
from tasks.control import clock
from tasks.recovery.steps import (
    keep_drill,
    keep_evidence,
    look_at,
    rehearse_restore,
    sign_evidence,
    take_bearings,
)


@flow(name="drill", flow_run_name="drill of {stanza}", timeout_seconds=24 * 3600)
def drill(
    stanza: str = "main",
    draws: int = 1,
    seed: int | None = None,
    repository: str | None = None,
) -> int:
    """Restore random points of the window, prove each copy, damage it, and see that it is found.

    **Purpose.** To know that any point restores, and how long that takes, before it is needed.

    **Starts** weekly with one draw, monthly with three, quarterly with five, or by hand.

    **Preconditions.** The repository answers, and the worker's disk has room for a copy. The
    operated cluster need not run, and is not touched.

    **Renews** the scoreboard and the plan of a recovery, and keeps both in the repositories.

    **A person decides** what follows from a drill that did not pass: the report names the check, or
    the fault that nobody noticed. The same seed does the same again.

    **Undo.** There is nothing to undo: each copy is removed.

    Args:
        stanza: Name of the operated cluster; its blocks bear the same name.
        draws: How many points are drawn.
        seed: What determines the first of them; empty: chance.
        repository: `local` or `s3`; empty: the one that takes the backups.

    """
    site, rehearsal = load_stanza(stanza, repository), Rehearsal(stanza, clock.now())
    try:
        with reporting(f"drill-report-{stanza}", rehearsal, report):
            for number in range(draws):
                begun = None if seed is None else seed + number
                done = rehearse_restore(site, begun, progress(f"drill-{stanza}"))
                rehearsal.drills.append(done)
                keep_drill(site, done)
            for each in rehearsal.drills:
                each.require()
    finally:
        board = Board(stanza, clock.now(), site.settings.rto_s, site.settings.rpo_s)
        with reporting(f"recoverability-{stanza}", board, scoreboard):
            board.standing = look_at(site)
        known = take_bearings(site, board.standing)
        publish(f"recovery-plan-{stanza}", recovery_plan(known))
        keep_evidence(site, files(board, known, sign_evidence(site)))
    return len(rehearsal.drills)
