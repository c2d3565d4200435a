"""The seal: what the operated databases held at a restore point, for a copy to be held against."""

import logging
import time
from dataclasses import dataclass, replace

from tasks.backup import moment, unchanged
from tasks.backup.moment import Moment, Tables, Watch
from tasks.backup.unchanged import EXACT, Earlier, candidates, standings
from tasks.control import clock
from tasks.control.errors import Transient
from tasks.postgres import contents
from tasks.postgres.server import Server
from tasks.repository.measure import Progress, Terms, measure, sequences_of, tables_of
from tasks.repository.model import BackupId
from tasks.repository.pace import Pace
from tasks.repository.seal import Measure, Seal, Standing, TableSeal


log = logging.getLogger(__name__)

MOMENTS = 3
"""How many moments are tried, where a connection is lost before all is measured."""

PAUSE_S = 1.0


@dataclass(frozen=True)
class Manner:
    """In which manner a seal is taken.

    Args:
        attempts: how often each way of catching the moment is tried.
        earlier: a seal from which digests of unchanged tables may be taken.
        bytes_a_second: how fast tables are read; None: as fast as can be.
        seconds: after so long no further table is begun; None: all are digested.
        standby: where digests are computed; None: on the primary.

    """

    attempts: int = moment.ATTEMPTS
    earlier: Earlier | None = None
    bytes_a_second: int | None = None
    seconds: float | None = None
    standby: Server | None = None


PLAIN = Manner()


def take(
    server: Server,
    backup: BackupId,
    manner: Manner = PLAIN,
    *,
    progress: Progress = lambda _: None,
) -> tuple[Seal, Measure]:
    """Seal what the server holds now: all of its databases, in one moment.

    Writers wait a few milliseconds at most, and only where locks are had at once; everything is
    computed afterwards, in the snapshots of that moment. Where a database is dropped under our
    hands, or a standby does not follow, another moment is caught, on the primary, with a restore
    point of another name.

    Args:
        server: a database of the server.
        backup: names the restore point.
        manner: in which manner.
        progress: told of each table.

    Raises:
        Transient: the server cannot be reached.

    """
    for number in range(1, MOMENTS):
        try:
            return _taken(server, f"{backup}-{number}", manner, progress)
        except Transient as error:
            log.warning("the seal is taken again: %s", error)
            manner = replace(manner, standby=None)
            time.sleep(PAUSE_S)
    return _taken(server, f"{backup}-{MOMENTS}", manner, progress)


def _taken(server: Server, name: str, manner: Manner, progress: Progress) -> tuple[Seal, Measure]:
    began, taken_at = time.monotonic(), clock.now()
    with moment.watching(server, manner.standby) as watch:
        sequences = sequences_of(watch.acting)
        now, sizes = standings(watch.acting)
        caught, tables = moment.catch(watch, lambda: tables_of(watch.acting), name, manner.attempts)
        log.info("sealed %s at %s (%s)", name, caught.lsn, caught.mode)
        known = _known(watch, manner.earlier, now, sizes, caught)
        skipped = manner.earlier.measure.skipped if manner.earlier else []
        pace = Pace(manner.bytes_a_second, manner.seconds)
        terms = Terms(pace=pace, known=known, first=skipped)
        measured = measure(watch.watching, tables, sequences, terms, progress)
        if caught.mode == "bounded":
            measured = _with_bounds(watch, tables, measured, caught.snapshots)
    sealed = Seal(
        restore_point=caught.restore_point,
        lsn=caught.lsn,
        taken_at=taken_at,
        mode=caught.mode,
        attempts=caught.attempts,
        snapshots=caught.snapshots,
        tables=len(measured.tables) + len(measured.skipped),
        rows=measured.rows,
        seconds=round(time.monotonic() - began, 3),
        skipped=len(measured.skipped),
        reused=len(known),
        digested_on="standby" if watch.is_on_standby else "primary",
        held_ms=caught.held_ms,
    )
    return sealed, replace(measured, standings=now)


def _known(
    watch: Watch,
    earlier: Earlier | None,
    now: dict[str, Standing],
    sizes: dict[str, int],
    caught: Moment,
) -> dict[str, TableSeal]:
    """Return the digests that hold still, where that is worth finding out."""
    found = candidates(earlier, now) if caught.mode in EXACT else {}
    if earlier is None or sum(sizes[name] for name in found) < unchanged.WORTH_BYTES:
        return {}
    primary = next(iter(watch.acting.values()))
    proven = unchanged.unchanged(primary, earlier, found, now, caught.lsn)
    return {
        name: replace(table, taken_from=table.taken_from or earlier.backup)
        for name, table in proven.items()
    }


def _with_bounds(
    watch: Watch, tables: Tables, measured: Measure, snapshots: dict[str, str]
) -> Measure:
    """Count, in new snapshots, how many rows of the old ones are still there.

    Large objects have no bounds of that kind; under a bounded seal they are not compared.
    """
    watch.look()
    stable = {
        (name, table.full_name): contents.digest(connection, table, snapshots[name]).rows
        for name, connection in watch.watching.items()
        for table in tables[name]
    }

    def bounded(table: TableSeal) -> TableSeal:
        return replace(table, stable_rows=stable[table.database, table.table])

    known = [table for table in measured.tables if table.table != contents.LARGE_OBJECTS]
    return replace(measured, tables=[bounded(table) for table in known])
