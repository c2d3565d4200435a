"""A drill: restore a random point, prove the copy, damage it, and see that this is found."""

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tasks.control import clock
from tasks.control.errors import Corrupt, OpsError
from tasks.control.phases import Progress
from tasks.postgres import lsn
from tasks.postgres.server import Server
from tasks.recovery.copies.scratch import held
from tasks.recovery.drill import faults
from tasks.recovery.drill.draw import draw
from tasks.recovery.drill.outcome import Drill
from tasks.recovery.loss import heartbeat
from tasks.recovery.loss.heartbeat import Beat
from tasks.recovery.planning import survey
from tasks.recovery.planning.plan import Window
from tasks.recovery.planning.target import parse
from tasks.recovery.proving import amcheck, expectations
from tasks.recovery.proving.comparison import Part, comparisons
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.restore import restore, unmake
from tasks.recovery.restoring.restored import Restored
from tasks.repository.chain import chain_to
from tasks.repository.fingerprint import Found, of_server
from tasks.repository.proof import Check
from tasks.repository.seal import Fact
from tasks.repository.stanza import Stanza


REACHED = "the copy is at the point that was drawn"

BEATEN = "the last heartbeat is from before that point"


def rehearse(
    stanza: Stanza, seed: int, progress: Progress = lambda _phase, _done, _all: None
) -> Drill:
    """Rehearse a recovery; whatever becomes of it is in what is returned, and nothing is left.

    Args:
        stanza: whose, at one of its repositories.
        seed: what determines backup, point and fault.
        progress: told how far it is.

    Raises:
        Refused: there are no programs of the version of what is kept.

    """
    survey.with_programs(stanza, stanza.catalogue.backups())
    begun = Drill(stanza.name, stanza.repository, seed, clock.now())
    place = stanza.home.path / "drill"
    place.mkdir(exist_ok=True)
    with held(place / ".lock"):
        try:
            unmake(stanza, place / "copy")  # going on with it would be no measure of a recovery
            window = survey.window(stanza)
            drawn = draw(seed, window)
            begun = replace(
                begun,
                backup=drawn.backup,
                target=drawn.target,
                exposed_s=_exposed(window, begun.started_at),
            )
            return _rehearsed(stanza, begun, place / "copy", progress)
        except Corrupt as error:
            return replace(begun, checks=[Check("boot", REACHED, "fail", str(error))])
        except OpsError as error:
            return replace(begun, error=str(error))
        finally:
            unmake(stanza, place / "copy")


def _exposed(window: Window, now: datetime) -> float | None:
    """Return how far what is archived lies behind, by its last transaction."""
    if window.last is None or window.last.at is None:
        return None
    return round(max((now - window.last.at).total_seconds(), 0.0), 3)


def _rehearsed(stanza: Stanza, begun: Drill, path: Path, progress: Progress) -> Drill:
    target, named = parse(begun.target), begun.backup
    done = restore(
        stanza,
        target,
        Destination(path, is_kept=False),
        named=named,
        promote=True,
        progress=progress,
    )
    backup = stanza.catalogue.get(named)
    drill = replace(
        begun,
        chain=len(chain_to(stanza.catalogue, backup)),
        seconds=done.seconds,
        restored_bytes=sum(each.stat().st_size for each in path.rglob("*") if each.is_file()),
        replayed_bytes=lsn.parse(done.lsn) - lsn.parse(backup.start_lsn),
    )
    progress("prove", 0, 0)
    tools = Path(done.programs)
    walked = amcheck.check(done.server, tools)  # it adds its extension
    found = of_server(done.server, tools)
    beat = _last_beat(stanza, done)
    there = Check("boot", REACHED, "pass", done.stop)
    beaten = [_not_after(beat, done)] if beat else []
    checks = [there, *walked, *beaten, *_rules(stanza, done, found)]
    drill = replace(drill, checks=checks, behind_s=_behind(beat, done))
    if any(check.outcome != "pass" for check in checks):
        return drill
    fault, noticed = _damaged(tools, done.server, found, random.Random(begun.seed))  # noqa: S311
    return replace(drill, fault=f"{fault.name}: {fault.subject}", noticed=noticed)


def _last_beat(stanza: Stanza, done: Restored) -> Beat | None:
    """Return the last heartbeat of the platform in a copy; None: it has none, or no platform."""
    try:
        return heartbeat.last(done.server.database(stanza.located.parameters()["dbname"]))
    except OpsError:
        return None


def _not_after(beat: Beat, done: Restored) -> Check:
    """See that the copy holds nothing from after the point, by what was written there itself."""
    is_before = lsn.parse(beat.lsn) < lsn.parse(done.lsn)
    seen = f"written at {beat.lsn}, the copy is at {done.lsn}"
    return Check("contents", BEATEN, "pass" if is_before else "fail", seen)


def _behind(beat: Beat | None, done: Restored) -> float | None:
    if beat is None or done.last_transaction_at is None:
        return None
    return round(max((done.last_transaction_at - beat.at).total_seconds(), 0.0), 3)


def _rules(stanza: Stanza, done: Restored, found: Found) -> list[Check]:
    """Hold the copy against the rules of the platform.

    Each may be broken as often as in the newest seal; without any seal as often as it is.
    """
    checks: list[Check] = []
    sealed = {(fact.subject, fact.check): fact.value for fact in _sealed_rules(stanza)}
    suite = expectations.Suite()
    for database in sorted({fact.subject for fact in found.rules}):
        bounds = [
            Fact(fact.check, database, sealed.get((database, fact.check), fact.value))
            for fact in found.rules
            if fact.subject == database
        ]
        checks += suite.bound(done.server.database(database), bounds)
    return checks


def _sealed_rules(stanza: Stanza) -> list[Fact]:
    """Return how often each rule was broken when the newest backup that has a seal was taken."""
    physical = [each for each in stanza.catalogue.backups() if each.type != "snapshot"]
    sealed = [each for each in physical if each.is_sealed]
    return stanza.catalogue.fingerprint(sealed[-1]).rules if sealed else []


def _damaged(
    tools: Path, server: Server, before: Found, chance: random.Random
) -> tuple[faults.Fault, bool]:
    """Damage the copy, look at it again, and tell whether the checks see that."""
    sealed, sizes = before.sealed(), Counter[str]()
    for table in sealed.tables:
        sizes[table.database] += table.rows
    fullest = sizes.most_common(1)[0][0] if sizes else "postgres"
    fault = faults.bring(server, fullest, chance)
    suite = expectations.Suite()
    compared = comparisons(Part(sealed), of_server(server, tools))
    return fault, any(suite.compare(each).outcome == "fail" for each in compared)
