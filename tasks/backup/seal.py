"""The seal: what the operated databases held at a restore point, for a copy to be held against.

A seal never keeps a backup from being taken: what cannot be sealed is named, with the reason.
"""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg

from tasks.backup import consistent_snapshot, definitions, observations
from tasks.backup.consistent_snapshot import ConsistentSnapshot
from tasks.backup.definitions import Reader
from tasks.backup.digest_reader import GONE, DigestReader, Readings, with_bounds
from tasks.backup.part import Part
from tasks.backup.seal_options import PLAIN, SealOptions
from tasks.backup.sessions import APPLICATION as SEALING
from tasks.backup.sessions import Sessions, sessions
from tasks.backup.unchanged import standings
from tasks.control import clock
from tasks.control.errors import OpsError
from tasks.postgres import (
    capacity,
    catalog_state,
    lock_watch,
    schema_dump,
)
from tasks.postgres.catalog_state import CLUSTER
from tasks.postgres.databases import databases, is_bare
from tasks.postgres.names import quoted
from tasks.postgres.server import Server
from tasks.repository.model import BackupId
from tasks.repository.pace import Pace
from tasks.repository.seal import (
    EXACT,
    Fingerprint,
    Omission,
    RestorePoint,
    Seal,
    TableSeal,
)


log = logging.getLogger(__name__)

MOMENTS = 3
"""How many restore points are tried for databases whose connections are lost meanwhile."""

LATER = 3
"""How often tables are tried again that do not hold still."""

LATER_POINTS = 8
"""How many restore points a proof walks through besides the first ones."""

LOCK_ATTEMPTS = 4
"""How often the locks of some tables are tried."""

PAUSE_S = 1.0


def take(
    server: Server,
    tools: Path,
    backup: BackupId,
    options: SealOptions = PLAIN,
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Seal, Fingerprint]:
    """Seal what the server holds now: all of its databases, at one restore point if that can be.

    Writers wait a few milliseconds at most, and only where locks are had at once; everything is
    read afterwards, in the snapshots of that moment. Tables that were emptied or rewritten before
    they were read are sealed at a later restore point. What cannot be sealed is named.

    Args:
        server: a database of the server.
        tools: the directory of PostgreSQL's programs.
        backup: names the restore points.
        options: how it is taken.
        progress: told of each table.

    Raises:
        Transient: the server cannot be reached, or has no connection to spare.
        OpsError: not even a restore point can be written.

    """
    began, taken_at = time.monotonic(), clock.now()
    sealing = Sealing(server, tools, backup, options, progress)
    sealing.run()
    sealed = sealing.fingerprint()
    points, first = sealing.points, sealing.points[0]
    missing = [each for each in sealed.omitted if not each.is_expected]
    return (
        Seal(
            restore_point=first.restore_point,
            lsn=first.lsn,
            taken_at=taken_at,
            mode="bounded" if any(each.mode == "bounded" for each in points) else first.mode,
            attempts=first.attempts,
            snapshots={k: v for part in sealing.parts for k, v in part.point.snapshots.items()},
            tables=len(sealed.tables) + len(missing),
            rows=sealed.rows,
            seconds=round(time.monotonic() - began, 3),
            skipped=len(missing),
            reused=sum(part.reused for part in sealing.parts),
            digested_on="standby" if sealing.parts[0].is_on_standby else "primary",
            held_ms=first.held_ms,
            share=options.share,
            later=[RestorePoint(each.restore_point, each.lsn) for each in points[1:]],
        ),
        sealed,
    )


@dataclass
class Sealing:
    """A seal while it is taken: what was sealed so far, and at which restore points."""

    server: Server
    tools: Path
    backup: BackupId
    options: SealOptions
    progress: Callable[[str], None]
    parts: list[Part] = field(default_factory=list)
    later: list[ConsistentSnapshot] = field(default_factory=list)
    tables: dict[str, TableSeal] = field(default_factory=dict)
    omitted: list[Omission] = field(default_factory=list)
    moments: dict[str, int] = field(default_factory=dict)
    bare: list[str] = field(default_factory=list)
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        """Let the time run from now on."""
        self.pace = Pace(self.options.bytes_a_second, self.options.seconds)

    @property
    def points(self) -> list[ConsistentSnapshot]:
        """The restore points, in their order."""
        return [*(part.point for part in self.parts), *self.later]

    def run(self) -> None:
        """Seal all databases, as many at once as there are connections for, then what is left."""
        with self.server.connect() as connection:
            known = databases(connection)
            room = capacity.databases_at_once(connection)
        for name, why in known.closed.items():
            self.omitted.append(Omission(f"database {name}", why, database=name))
        self.bare = [
            name for name in known.open if name in known.templates and is_bare(self.server, name)
        ]
        names = [name for name in known.open if name not in self.bare]
        for first in range(0, len(names), room):
            self._databases(names[first : first + room])
        self._seal_later()

    def fingerprint(self) -> Fingerprint:
        """Return what was sealed."""
        return Fingerprint(
            tables=list(self.tables.values()),
            facts=[fact for part in self.parts for each in part.facts.values() for fact in each],
            rules=[fact for part in self.parts for each in part.rules.values() for fact in each],
            moments=self.moments,
            definitions={k: v for part in self.parts for k, v in part.definitions.digests.items()},
            sequence_states={k: v for part in self.parts for k, v in part.sequences.items()},
            not_due=sorted(name for part in self.parts for name in part.readings.not_due),
            omitted=sorted(self.omitted, key=lambda each: each.subject),
            standings={k: v for part in self.parts for k, v in part.standings.items()},
        )

    def _databases(self, names: Sequence[str]) -> None:
        """Seal some databases at one restore point; those whose connections are lost, at another.

        What was read of a database before it was dropped or renamed is kept.
        """
        options = self.options
        for number in range(1, MOMENTS + 1):
            try:
                part = self._part(names, f"{self.backup}-{len(self.parts)}{number}", options)
            except (OpsError, psycopg.Error) as error:
                if number == MOMENTS:
                    self._not_sealed(names, error)
                    return
                said = error if isinstance(error, OpsError) else type(error).__name__
                log.warning("the seal is taken again: %s", said)
            else:
                lost = self._still_open(part.readings.lost) if number < MOMENTS else []
                self._add(part.without(lost), [name for name in names if name not in lost])
                if not lost:
                    return
                names = lost
                log.warning("connections were lost; %d databases are sealed again", len(lost))
            options = replace(options, standby=None)
            time.sleep(PAUSE_S)
            names = self._still_open(names)
            if not names:
                return

    def _not_sealed(self, names: Sequence[str], error: Exception) -> None:
        """Name databases that could not be sealed; raise what happened where none could be."""
        if not self.parts:
            raise error
        reason = f"it could not be sealed: {type(error).__name__}"
        self.omitted += [Omission(f"database {name}", reason, database=name) for name in names]

    def _still_open(self, names: Collection[str]) -> list[str]:
        with self.server.connect() as connection:
            there = databases(connection).open
        return [name for name in there if name in names]

    def _part(self, names: Sequence[str], stem: str, options: SealOptions) -> Part:
        """Take the snapshots of some databases, and read in them."""
        with sessions(self.server, names, options.standby) as (opened, omitted):
            before = {name: catalog_state.state(each) for name, each in opened.lockers.items()}
            before |= {} if self.parts else definitions.states(self.server, self.bare)
            shared = None if self.parts else catalog_state.state(opened.actor, CLUSTER)
            ran = observations.sequence_states(opened, omitted)
            now, sizes = standings(opened.lockers)
            point = consistent_snapshot.take(opened, stem, options.attempts)
            log.info("sealed %s at %s (%s)", stem, point.lsn, point.mode)
            at = {name: catalog_state.state(each) for name, each in opened.readers.items()}
            shown, is_exact = observations.table_names(point), _shows_all(point)
            reader = Reader(self.server, self.tools, before, at, shown, is_exact)
            with self._giving_way(), ThreadPoolExecutor(1, "definitions") as pool:
                defining = pool.submit(reader.run, shared)
                known = observations.known_digests(opened, options.earlier, now, sizes, point)
                readings = self._read(opened, point, known, len(self.parts))
                facts, rules = observations.counted_facts(opened, point, readings)
                if point.mode == "bounded":
                    with_bounds(opened, point, readings)
                defined = defining.result()
            ended = observations.sequence_states(opened, omitted)
            readings.omitted += [*omitted, *observations.unlogged_tables(opened)]
            for name, connection in opened.readers.items():
                if not connection.closed:
                    readings.omitted += observations.in_own_schemas(name, connection)
            return Part(
                point=point,
                readings=readings,
                definitions=defined,
                sequences=observations.sealed_sequences(ran, ended),
                facts=facts,
                rules=rules,
                standings=now,
                reused=len(known),
                is_on_standby=opened.are_on_standby,
            )

    def _read(
        self,
        opened: Sessions,
        point: ConsistentSnapshot,
        known: dict[str, TableSeal],
        moment: int,
    ) -> Readings:
        earlier = self.options.earlier
        return DigestReader(
            opened,
            point,
            moment,
            Pace() if opened.only else self.pace,
            known={name: replace(each, moment=moment) for name, each in known.items()},
            first=[each.subject for each in earlier.fingerprint.omitted] if earlier else [],
            exclude=self.options.exclude,
            share=self.options.share,
            is_kept=opened.only is not None,
            progress=self.progress,
        ).run()

    def _giving_way(self) -> AbstractContextManager[None]:
        return lock_watch.yielding(
            self.server,
            cancelled=SEALING,
            terminated=schema_dump.APPLICATION,
        )

    def _add(self, part: Part, names: Sequence[str]) -> None:
        if not names:
            return
        bare = [] if self.parts else self.bare
        self.moments |= dict.fromkeys([*names, *bare], len(self.parts))
        self.parts.append(part)
        self.tables |= part.readings.tables
        self.omitted += [*part.readings.omitted, *part.definitions.omitted]

    def _seal_later(self) -> None:
        """Seal tables that did not hold still, a few at a restore point at which they are locked.

        The fewer they are, the shorter they are kept from being rewritten.
        """
        pending = [
            (database, table, why)
            for part in self.parts
            for database, tables in part.readings.pending.items()
            for table, why in tables.items()
        ]
        size = -(-len(pending) // LATER_POINTS)
        for first in range(0, len(pending), max(size, 1)):
            self._later(pending[first : first + size], f"{self.backup}-later-{first}")

    def _later(self, pending: list[tuple[str, str, str]], stem: str) -> None:
        """Seal some tables at a restore point of their own, or name them."""
        for number in range(1, LATER + 1):
            try:
                pending = self._at_later_point(pending, f"{stem}-{number}")
            except (OpsError, psycopg.Error) as error:
                log.warning("no later restore point: %s", type(error).__name__)
            if not pending:
                return
        self.omitted += [
            Omission(f"{quoted(database)}.{table}", why, database=database)
            for database, table, why in pending
            if why
        ]

    def _at_later_point(
        self, pending: list[tuple[str, str, str]], stem: str
    ) -> list[tuple[str, str, str]]:
        """Seal some tables; return those that are left."""
        only: dict[str, set[str]] = {}
        for database, table, _ in pending:
            only.setdefault(database, set()).add(table)
        with sessions(self.server, [*only], only=only) as (opened, _):
            point = consistent_snapshot.take_kept(opened, stem, LOCK_ATTEMPTS)
            if point is None:
                return pending
            with self._giving_way():
                readings = self._read(opened, point, {}, len(self.points))
        if readings.tables:
            self.later.append(point)
            self.tables |= readings.tables
        self.omitted += readings.omitted
        self._name_gone(pending, point)
        left = readings.pending
        return [each for each in pending if each[1] in left.get(each[0], {})]

    def _name_gone(self, pending: list[tuple[str, str, str]], point: ConsistentSnapshot) -> None:
        there = {name: {each.full_name for each in point.tables[name]} for name in point.tables}
        for database, table, _ in pending:
            if table not in there.get(database, set()):
                full = f"{quoted(database)}.{table}"
                self.tables.pop(full, None)
                self.omitted.append(Omission(full, GONE, database=database))


def _shows_all(point: ConsistentSnapshot) -> bool:
    """Tell whether the snapshots show whatever was defined up to the restore point."""
    return point.mode in EXACT and point.is_certain
