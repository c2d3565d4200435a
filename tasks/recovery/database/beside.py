"""A database as it was at a point, loaded beside the live one and held against its origin."""

import hashlib
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from tasks.control import clock
from tasks.control.errors import Corrupt, Refused
from tasks.control.phases import Phases, Progress
from tasks.postgres import programs
from tasks.postgres.databases import databases
from tasks.postgres.server import Server, identify
from tasks.recovery.copies.fixpoint import LoadedDump
from tasks.recovery.copies.load import problems_of
from tasks.recovery.database.comparing import Compared, compare
from tasks.recovery.database.names import Aside, aside, known, mark
from tasks.recovery.database.swap import administering, disconnecting
from tasks.recovery.planning.target import Target
from tasks.recovery.restoring import restored
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.restore import restore, unmake
from tasks.recovery.restoring.restored import Restored
from tasks.recovery.snapshots.loading import restore_snapshot
from tasks.recovery.snapshots.selection import Selection
from tasks.recovery.snapshots.wanted import snapshot_of, wanted
from tasks.repository.stanza import Stanza


TIMEOUT_S = 12 * 3600

JOBS = 2


@dataclass(frozen=True)
class Beside:
    """A database that stands beside the live one, and what was found of it."""

    database: str
    aside: Aside
    origin: Restored
    compared: Compared
    seconds: Mapping[str, float]
    problems: Sequence[str] = ()

    @property
    def differing(self) -> list[str]:
        """In what it is not as it was at that point: what did not go in, and what differs."""
        checks = [check for check in self.compared.checks if check.outcome != "pass"]
        return [*self.problems, *(f"{check.name}: {check.seen}" for check in checks)]

    def require(self, *, accepted: bool = False) -> None:
        """Require that it is what it was at that point, unless somebody has accepted differences.

        Raises:
            Corrupt: it differs; names in what.

        """
        if self.differing and not accepted:
            raise Corrupt(
                f"database {self.database} was not loaded as it was",
                seen="; ".join(self.differing[:3]),
                expected="no difference",
                do="nothing was swapped; look at it: --accept-differences swaps it in all the same",
            )


def prepare(
    stanza: Stanza, database: str, target: Target, tell: Progress = lambda _phase, _done, _all: None
) -> Beside:
    """Load a database as it was at a point beside the live one, under another name.

    Args:
        stanza: whose; its operated server is the live one.
        database: which one.
        target: the point.
        tell: told how far it is.

    Raises:
        Refused: the point cannot be had, or the database was not there, or is not.
        Corrupt: something could not be loaded; names it. Nothing is left of it.

    """
    server, phases = stanza.server(), Phases()
    _require_database(server, database)
    _require_no_subscription(server.database(database), database)
    try:
        with phases.phase("restore"):
            origin = _copy(stanza, database, target, tell)
        discard_loaded(server, database)
        new = aside(database, "restoring", clock.now())
        with phases.phase("load"):
            tell("load", 0, 0)
            _require_database(origin.server, database)
            _require_no_subscription(origin.server.database(database), database)
            source = _renamed(origin.server, database, new)
            dump, problems = _load(stanza, source, server, new)
            new = _marked(server, new)
        with phases.phase("compare"):
            tell("compare", 0, 0)
            loaded = LoadedDump(
                server.database(new.name), stanza.programs, dump, None, origin.server
            )
            compared = compare(database, loaded, source, server.database(database))
    except BaseException:
        discard(stanza, database)
        raise
    return Beside(database, new, origin, compared, phases.seconds, problems)


def discard(stanza: Stanza, database: str) -> None:
    """Drop what was loaded and not swapped in, and remove the copy that it came from."""
    try:
        discard_loaded(stanza.server(), database)
    finally:
        shutil.rmtree(_side(stanza, database).with_suffix(".dump"), ignore_errors=True)
        unmake(stanza, _side(stanza, database))


def _side(stanza: Stanza, database: str) -> Path:
    """Return where the copy of the cluster goes; a database may have any name, a directory not."""
    digest = hashlib.sha256(database.encode()).hexdigest()
    return stanza.home.path / "side" / f"of-{digest[:16]}"


def _require_database(server: Server, database: str) -> None:
    with administering(server, database) as connection:
        there = databases(connection).open
    if database not in there:
        raise Refused(
            "there is no such database",
            stanza=server.stanza,
            seen=database,
            expected=", ".join(there),
        )


def _require_no_subscription(server: Server, database: str) -> None:
    """See that a database has no subscription: a copy of one would lead to the slot of the other.

    Raises:
        Refused: it has one.

    """
    with server.connect() as connection:
        rows = connection.execute(
            "select subname from pg_subscription where subdbid ="
            " (select oid from pg_database where datname = current_database()) order by 1"
        ).fetchall()
    if rows:
        raise Refused(
            "a database with a subscription is not swapped: two would share one slot",
            stanza=server.stanza,
            seen=f"{rows[0][0]} in {database}",
            do="restore it aside with hl7ops restore, and take over from there what is wanted",
        )


def _copy(stanza: Stanza, database: str, target: Target, tell: Progress) -> Restored:
    """Restore a copy of the cluster at the point, or load the database of a snapshot."""
    path = _side(stanza, database)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    place = Destination(path, is_kept=False)
    stanza.home.owner.take(path.parent)
    restored.remove(path)
    if snapshot := snapshot_of(stanza, target):
        what = wanted(stanza, snapshot, Selection((database,)))
        return restore_snapshot(stanza, what, place, tell)
    return restore(stanza, target, place, promote=True, progress=tell)


def _renamed(origin: Server, database: str, new: Aside) -> Server:
    """Rename the database in its copy, so that what is dumped of it bears the new name."""
    with administering(origin, database) as connection:
        rename = sql.SQL("alter database {} rename to {}")
        connection.execute(rename.format(sql.Identifier(database), sql.Identifier(new.name)))
        mark(connection, new)
    return origin.database(new.name)


def _load(stanza: Stanza, source: Server, server: Server, new: Aside) -> tuple[Path, list[str]]:
    """Dump the database in its copy, and load that beside the live one.

    Returns:
        The dump, which goes with what is discarded, and what could not be loaded.

    Raises:
        Refused: the live server lacks what is needed.
        Corrupt: the dump is not whole.

    """
    tools = programs.of_major(
        identify(server).major,
        stanza.programs,
        chosen=stanza.settings.hl7ops_programs is not None,
        or_newer=True,
        stanza=server.stanza,
    )
    dump = _side(stanza, new.of).with_suffix(".dump")
    shutil.rmtree(dump, ignore_errors=True)
    how = ["--format=directory", "--compress=0", "--no-sync", "--create", "--file", dump]
    _run(tools, "pg_dump", source, how)
    with administering(server, new.of) as connection:
        place = connection.info.dbname
    how = ["--create", "--verbose", dump]
    done = _run(tools, "pg_restore", server.database(place), how, accept=(0, 1))
    return dump, problems_of(server.stanza, new.of, done)


def _run(
    tools: Path, name: str, server: Server, how: list[object], accept: tuple[int, ...] = (0,)
) -> subprocess.CompletedProcess[str]:
    with programs.addressed(server) as (address, env):
        return programs.run(
            tools,
            name,
            [f"--jobs={JOBS}", "--no-password", *address, *how],
            timeout_s=TIMEOUT_S,
            env=env,
            accept=accept,
        )


def _marked(server: Server, new: Aside) -> Aside:
    """Return what was loaded as it is marked, with the comment that the database had then."""
    with administering(server, new.of) as connection:
        return next(
            each for each in known(connection, new.of, "restoring") if each.name == new.name
        )


def discard_loaded(server: Server, database: str) -> None:
    """Drop what was loaded beside a database and never swapped in, also by a killed run."""
    with administering(server, database) as connection:
        for each in known(connection, database, "restoring"):
            with disconnecting(server, database, [each.name]):
                connection.execute(
                    sql.SQL("drop database {} with (force)").format(sql.Identifier(each.name))
                )
