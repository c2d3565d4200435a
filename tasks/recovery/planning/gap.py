"""Where a recovery ends when WAL on its way is missing, and somebody has accepted that."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from tasks.control.errors import Corrupt, Refused
from tasks.postgres import lsn
from tasks.recovery.planning import locate
from tasks.recovery.planning.locate import Stop
from tasks.recovery.planning.plan import Base, Plan
from tasks.recovery.planning.scroll import BadSegment, Scroll
from tasks.recovery.planning.target import Target
from tasks.repository.catalogue import Catalogue
from tasks.repository.model import Backup, BackupId


def accepting(make: Callable[[], Plan], scroll: Scroll) -> Plan:
    """Plan with the WAL that can be read: a segment that cannot be is as good as missing.

    Args:
        make: makes the plan by what is there of the WAL.
        scroll: the WAL.

    Raises:
        Refused: the point cannot be reached; names also what could not be read.

    """
    bad: list[str] = []
    while True:
        try:
            made = make()
            for segment in made.segments:
                scroll.check(segment.number)
        except BadSegment as error:
            bad.append(str(error).partition("; next: ")[0])
            scroll.leave_out(error.number)
        except Refused as refused:
            raise Refused("; ".join([str(refused), *bad])) from None
        else:
            return replace(made, accepted=[*made.accepted, *bad])


def last_before(scroll: Scroll, base: Base) -> Stop | None:
    """Return the last record before WAL is missing; None: as soon as a base is consistent.

    Args:
        scroll: what is archived.
        base: what recovery begins with; WAL from its start to its stop is there.

    """
    run = scroll.way.run(base.start)
    assert run is not None  # noqa: S101 - its WAL is there
    last = locate.last_of(scroll, run)
    stop = replace(last, told="the last record before WAL that is missing")
    return stop if last.end >= base.stop else None


def told(scroll: Scroll, base: Base) -> str:
    """Say from where on WAL is missing."""
    run = scroll.way.run(base.start)
    end = lsn.spell(scroll.way.end(run)) if run else "its start"
    return f"WAL from {end} on is missing: recovery ends at the last record before it"


def lost_end(catalogue: Catalogue, scroll: Scroll) -> list[str]:
    """Warn where the archive ends before the position that it reached once."""
    try:
        reach = catalogue.reaches.known()
    except Corrupt as error:
        return [f"nobody can tell how far the archive reached: {error}"]
    runs, timeline = scroll.way.runs, scroll.way.history.timeline
    if reach is None or not runs or reach.timeline != timeline:
        return []
    end = scroll.way.end(runs[-1])
    if lsn.parse(reach.position) <= end:
        return []
    return [f"the archive ends at {lsn.spell(end)}, and once reached {reach.position}"]


def wanted(
    target: Target,
    scroll: Scroll,
    backups: Mapping[BackupId, Backup],
    named: str | None,
    refused: Refused,
) -> tuple[Stop, str | None]:
    """Return where a recovery would end if the WAL with its end were there, and its backup.

    Raises:
        Refused: nobody knows, and what was refused stays so.

    """
    runs = scroll.way.runs
    if target.kind == "lsn" and runs:
        position = lsn.parse(target.value)
        if position < scroll.way.end(runs[-1]):
            return Stop(position, target.inclusive, f"the record at {target.value}"), named
    backup = backups.get(BackupId(target.value)) if target.kind == "backup" else None
    if backup is not None and backup.type != "snapshot":
        end = lsn.parse(backup.seal.lsn)
        return Stop(end, inclusive=False, told="the restore point of its seal"), backup.id
    raise refused
