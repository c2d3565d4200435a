"""The seal: what the operated databases held at a restore point, for a copy to be held against."""

import logging
import time
from dataclasses import replace

from tasks.backup import moment
from tasks.backup.moment import Tables, Watch
from tasks.control import clock
from tasks.control.errors import Transient
from tasks.postgres import contents
from tasks.postgres.server import Server
from tasks.repository.measure import Progress, measure, sequences_of, tables_of
from tasks.repository.model import BackupId
from tasks.repository.seal import Measure, Seal, TableSeal


log = logging.getLogger(__name__)

MOMENTS = 3
"""How many moments are tried, where a connection is lost before all is measured."""

PAUSE_S = 1.0


def take(
    server: Server,
    backup: BackupId,
    *,
    attempts: int = moment.ATTEMPTS,
    progress: Progress = lambda _: None,
) -> tuple[Seal, Measure]:
    """Seal what the server holds now: all of its databases, in one moment.

    Writers wait a few milliseconds at most, and only where locks are had at once; everything is
    computed afterwards, in the snapshots of that moment. Where a database is dropped under our
    hands, another moment is caught, with a restore point of another name.

    Args:
        server: a database of the server.
        backup: names the restore point.
        attempts: how often each way of catching the moment is tried.
        progress: told of each table.

    Raises:
        Transient: the server cannot be reached.

    """
    for number in range(1, MOMENTS):
        try:
            return _taken(server, f"{backup}-{number}", attempts, progress)
        except Transient as error:
            log.warning("the seal is taken again: %s", error)
            time.sleep(PAUSE_S)
    return _taken(server, f"{backup}-{MOMENTS}", attempts, progress)


def _taken(server: Server, name: str, attempts: int, progress: Progress) -> tuple[Seal, Measure]:
    began, taken_at = time.monotonic(), clock.now()
    with moment.watching(server) as watch:
        sequences = sequences_of(watch.acting)
        caught, tables = moment.catch(watch, lambda: tables_of(watch.acting), name, attempts)
        log.info("sealed %s at %s (%s)", name, caught.lsn, caught.mode)
        measured = measure(watch.watching, tables, sequences, progress=progress)
        if caught.mode == "bounded":
            measured = _with_bounds(watch, tables, measured, caught.snapshots)
    sealed = Seal(
        restore_point=caught.restore_point,
        lsn=caught.lsn,
        taken_at=taken_at,
        mode=caught.mode,
        attempts=caught.attempts,
        snapshots=caught.snapshots,
        tables=len(measured.tables),
        rows=measured.rows,
        seconds=round(time.monotonic() - began, 3),
    )
    return sealed, measured


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
