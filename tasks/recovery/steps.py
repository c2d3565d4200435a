"""The steps of the recovery runbooks."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment

from tasks.control import clock, proof_pool
from tasks.control.phases import Progress
from tasks.control.proof_pool import HandedOver
from tasks.control.steps import step
from tasks.postgres.server import Server
from tasks.recovery import bearings
from tasks.recovery.bearings import Bearings
from tasks.recovery.database import beside, setting_back
from tasks.recovery.database.beside import Beside
from tasks.recovery.database.setting_back import SetBack
from tasks.recovery.drill import rehearse, standing
from tasks.recovery.drill.outcome import Drill
from tasks.recovery.drill.standing import Standing
from tasks.recovery.planning import survey
from tasks.recovery.planning.plan import Plan
from tasks.recovery.planning.target import parse
from tasks.recovery.proving import verify
from tasks.recovery.restoring import restore
from tasks.recovery.restoring.directory import Destination, chosen, examine
from tasks.recovery.restoring.lending import lent
from tasks.recovery.restoring.restored import Restored
from tasks.recovery.snapshots import loading
from tasks.recovery.snapshots import selection as selections
from tasks.recovery.snapshots.wanted import Wanted, find, wanted
from tasks.repository.cycle import Cycle
from tasks.repository.pages import keep_pages
from tasks.repository.proof import Proof
from tasks.repository.stanza import Stanza


log = logging.getLogger(__name__)


def _destination(stanza: Stanza, to: str | None, *, replace: bool) -> Destination:
    """Return where a copy goes; unless told, it is `restored` in the home."""
    return Destination(chosen(stanza, Path(to) if to else None), replace)


@dataclass(frozen=True)
class Wish:
    """What a restore is asked for; a text of each, as a form gives it."""

    target: str
    to: str | None = None
    backup: str | None = None
    timeline: int | None = None
    exclusive: bool = False
    replace: bool = False
    promote: bool = False
    accept_failed_proof: bool = False

    def destination(self, stanza: Stanza) -> Destination:
        """Return where the copy goes."""
        return _destination(stanza, self.to, replace=self.replace)


@dataclass(frozen=True)
class Part:
    """What is asked for of a snapshot; a text of each, as a form gives it."""

    snapshot: str
    databases: Sequence[str] = ()
    tables: Sequence[str] = ()
    to: str | None = None
    replace: bool = False
    accept_differences: bool = False

    def wanted(self, stanza: Stanza) -> Wanted:
        """See that the snapshot holds it."""
        selection = selections.parse(self.databases, self.tables)
        snapshot = find(stanza, self.snapshot)
        return wanted(stanza, snapshot, selection, accepted=self.accept_differences)

    def destination(self, stanza: Stanza) -> Destination:
        """Return where the copy goes."""
        return _destination(stanza, self.to, replace=self.replace)


@step("verify", run_name="verify {wanted}")
def verify_backup(stanza: Stanza, wanted: str, progress: Progress) -> Proof:
    """Restore a backup into a scratch cluster and hold it against its seal."""
    return verify.verify(stanza, wanted, progress=progress)


@step("hand over the proof", run_name="hand over the proof of {wanted}")
def hand_over_proof(stanza: Stanza, wanted: str) -> HandedOver | None:
    """Start the proof of a backup on the work pool of proofs; None: it is to be made here.

    Nobody waits for it. Whatever keeps it from being started there, it is not given up.
    """
    pool = stanza.settings.proof_pool
    if pool is None:
        return None
    try:
        started = run_deployment(
            proof_pool.DEPLOYMENT,
            parameters={"stanza": stanza.name, "backup": wanted},
            timeout=0,
            as_subflow=False,
            idempotency_key=f"proof of {wanted}",
        )
    except Exception as error:  # noqa: BLE001 - Prefect raises what its client and server raise
        log.warning("%s is proven here, not on %s: %s", wanted, pool, type(error).__name__)
        return None
    run = cast("FlowRun", started)
    log.info("%s is proven on work pool %s, by run %s", wanted, pool, run.name)
    return HandedOver(pool, run.name, str(run.id))


@step("cycle", run_name="proven of {stanza.name} within the cycle")
def proof_cycle(stanza: Stanza) -> Cycle | None:
    """Tell how much was compared within the cycle; None where all is, each time."""
    return standing.cycle_of(stanza, clock.now())


@step("plan a restore", run_name="plan a restore")
def plan_restore(stanza: Stanza, wish: Wish) -> Plan:
    """Find the target in what is archived, and see that a copy may go where it is wanted."""
    target = parse(wish.target, inclusive=not wish.exclusive, timeline=wish.timeline)
    plan = survey.plan(stanza, target, wish.backup, accept_failed_proof=wish.accept_failed_proof)
    examine(stanza, plan.needs, wish.destination(stanza))
    return plan


@step("restore", run_name="restore a copy")
def restore_copy(stanza: Stanza, wish: Wish, progress: Progress) -> Restored:
    """Restore a copy to the target, hold it against the plan, and put it in place."""
    target = parse(wish.target, inclusive=not wish.exclusive, timeline=wish.timeline)
    return restore.restore(
        stanza,
        target,
        wish.destination(stanza),
        named=wish.backup,
        promote=wish.promote,
        accept_failed_proof=wish.accept_failed_proof,
        progress=progress,
    )


@step("plan a restore", run_name="plan a restore")
def plan_snapshot(stanza: Stanza, part: Part) -> Wanted:
    """See what would be loaded of a snapshot, and that a copy may go where it is wanted."""
    what = part.wanted(stanza)
    examine(stanza, what.needs, part.destination(stanza))
    return what


@step("load a snapshot", run_name="load a snapshot")
def load_snapshot(stanza: Stanza, part: Part, progress: Progress) -> Restored:
    """Load what is wanted of a snapshot, hold it against its seal, and put it in place."""
    return loading.restore_snapshot(stanza, part.wanted(stanza), part.destination(stanza), progress)


@contextmanager
def database_beside(
    stanza: Stanza, database: str, target: str, progress: Progress, *, accepted: bool = False
) -> Iterator[Beside]:
    """Yield a database as it was, loaded beside the live one; what is not swapped in goes again."""
    with setting_back.loaded(
        stanza,
        database,
        lambda: load_database(stanza, database, target, progress),
        accepted=accepted,
    ) as found:
        yield found


@step("load a database beside", run_name="load {database} beside")
def load_database(stanza: Stanza, database: str, target: str, progress: Progress) -> Beside:
    """Restore the cluster aside, load one database of it beside the live one, and compare."""
    return beside.prepare(stanza, database, parse(target), progress)


@step("swap a database in", run_name="swap {database} in")
def swap_database(stanza: Stanza, database: str, found: Beside) -> SetBack:
    """Give a database that was loaded the name of the live one, and look at it once more."""
    del database  # it names the run
    return setting_back.swap_in(stanza.server(), found)


@step("rehearse a restore", run_name="rehearse a restore")
def rehearse_restore(stanza: Stanza, seed: int | None, progress: Progress) -> Drill:
    """Restore a random point, prove the copy, damage it, and see that this is found."""
    return rehearse.rehearse(stanza, standing.seed() if seed is None else seed, progress)


@step("keep a drill", run_name="keep a drill")
def keep_drill(stanza: Stanza, drill: Drill) -> None:
    """Keep what came out, whatever it was, in the history that the scoreboard is made from."""
    standing.evidence(stanza).keep(drill, clock.now())


@step("look at recoverability", run_name="look at recoverability")
def look_at(stanza: Stanza) -> Standing:
    """Gather the window, the proofs and the drills."""
    return standing.standing(stanza, clock.now())


@step("take bearings", run_name="take bearings")
def take_bearings(stanza: Stanza, known: Standing | None) -> Bearings:
    """Gather where everything is that a recovery needs."""
    return bearings.bearings(stanza, clock.now(), known)


@step("sign evidence", run_name="sign evidence")
def sign_evidence(stanza: Stanza) -> str:
    """Return the history of drills as a document that we sign."""
    return standing.signed(stanza)


@step("keep evidence", run_name="keep evidence")
def keep_evidence(stanza: Stanza, files: Mapping[str, str]) -> list[str]:
    """Keep pages, and the history of drills, in every repository."""
    return keep_pages(stanza, files)


@step("lend copy", "lend copy of {stanza.name}")
def lend_copy(stanza: Stanza) -> Server | None:
    """Return the restored copy that `ANALYTICS_COPY` names, for whoever reads; None without one."""
    return lent(stanza.settings)
