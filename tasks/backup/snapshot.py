"""Take a snapshot: a dump of each database, and what all share, sealed in that same snapshot."""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ParamSpec, TypeVar

from tasks.backup import moment
from tasks.backup.moment import Watch
from tasks.control import clock
from tasks.control.errors import Transient
from tasks.control.phases import Phases, Progress
from tasks.postgres import lsn, programs, slot
from tasks.postgres.server import Connection, Server, identify
from tasks.postgres.slot import WalPosition
from tasks.repository.measure import measure, sequences_of, tables_of
from tasks.repository.model import MEASURE, Backup, BackupId, Dump, StoredObject
from tasks.repository.seal import Measure, Seal
from tasks.repository.stanza import Stanza
from tasks.repository.stream import CHUNK_BYTES, Sink


log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

GLOBALS = {"roles.sql": "--roles-only", "tablespaces.sql": "--tablespaces-only"}
"""What all databases share, by object, and how `pg_dumpall` is asked for it."""

ATTEMPTS = 20

LOCK_TIMEOUT_S = 60
"""How long a dump waits for whoever changes a table's structure."""


@dataclass(frozen=True)
class Shot:
    """One snapshot of all databases: where the WAL stood, and by which name dumps join it."""

    at: WalPosition
    taken_at: datetime
    snapshots: dict[str, str]
    exported: dict[str, str]
    sequences: dict[str, int]

    @property
    def lsn(self) -> str:
        """Where the WAL stood, a little before it at most."""
        return lsn.spell(self.at.position)


@dataclass(frozen=True)
class Snapshot:
    """A snapshot while it is taken."""

    stanza: Stanza
    server: Server
    id: BackupId
    began: datetime

    def run(self, progress: Progress) -> Backup:
        """Go through the phases; what comes out is whole, but not in the catalogue yet."""
        for name in ("pg_dump", "pg_dumpall"):
            programs.require(self.stanza.programs, name, self.server)
        phases, kept, identity = Phases(), list[StoredObject](), identify(self.server)
        with moment.watching(self.server) as watch, phases.phase("dump and seal"):
            tables, shot = self._shoot(watch)
            self.stanza.catalogue.claim(identity.system_identifier, shot.at.segment_bytes)
            numbers = {name: _oid(connection) for name, connection in watch.acting.items()}
            with _beside(measure, watch.watching, tables, shot.sequences) as measuring:
                dumps = self._dump(numbers, shot, kept, progress)
            measured = _of_dumped(measuring.result(), [dump.database for dump in dumps])
        with self._storing(f"{MEASURE}.zst", kept) as sink:
            sink.write(measured.to_bytes())
        return Backup(
            id=self.id,
            stanza=self.stanza.name,
            type="snapshot",
            parent=None,
            system_identifier=identity.system_identifier,
            server_version=identity.version_num,
            started_at=self.began,
            finished_at=clock.now(),
            start_lsn=shot.lsn,
            stop_lsn=shot.lsn,
            timeline=shot.at.timeline,
            segment_bytes=shot.at.segment_bytes,
            objects=kept,
            tablespaces=[],
            seal=_seal(shot, measured, phases),
            phases=phases.seconds,
            dumps=dumps,
            superuser=identity.superuser,
        )

    def _shoot(self, watch: Watch) -> tuple[moment.Tables, Shot]:
        """Take snapshots of all databases that show just the tables that are listed.

        Raises:
            Transient: tables come and go too fast.

        """
        for _ in range(ATTEMPTS):
            sequences, tables = sequences_of(watch.acting), tables_of(watch.acting, as_text=True)
            at, taken_at = slot.written(self.server, switch=False), clock.now()
            snapshots = watch.look()
            if watch.shows(tables):
                exported = {name: _exported(each) for name, each in watch.watching.items()}
                return tables, Shot(at, taken_at, snapshots, exported, sequences)
        raise Transient("tables come and go too fast to be dumped", do="try again at a calmer time")

    def _dump(
        self, numbers: dict[str, int], shot: Shot, kept: list[StoredObject], progress: Progress
    ) -> list[Dump]:
        """Dump what all databases share, then each of them in the snapshot."""
        done = 0

        def store(source: Iterator[bytes], name: str) -> None:
            nonlocal done
            with self._storing(name, kept) as sink:
                for block in source:
                    sink.write(block)
                    done += len(block)
                    progress("dump", done, 0)

        for name, what in GLOBALS.items():
            with self._said("pg_dumpall", self.server, [what]) as source:
                store(source, f"{name}.zst")
        dumps = []
        for database, exported in shot.exported.items():
            name = f"{numbers[database]}.dump"
            level = self.stanza.settings.snapshot_compression
            how = ["-Fc", f"-Z{level}", "--create", f"--snapshot={exported}"]
            how.append(f"--lock-wait-timeout={LOCK_TIMEOUT_S * 1000}")
            with self._said("pg_dump", self.server.database(database), how) as source:
                store(source, name)
            dumps.append(Dump(database, name))
        return dumps

    @contextmanager
    def _said(
        self, program: str, server: Server, arguments: Sequence[str]
    ) -> Iterator[Iterator[bytes]]:
        """Yield what a program of PostgreSQL writes of a server."""
        with (
            programs.service_file(server) as env,
            programs.piped(
                self.stanza.programs, program, [*arguments, "--no-password"], env=env
            ) as file,
        ):
            yield iter(lambda: file.read(CHUNK_BYTES), b"")

    def _storing(self, name: str, kept: list[StoredObject]) -> AbstractContextManager[Sink]:
        catalogue = self.stanza.catalogue
        return catalogue.vault.storing(catalogue.prefix(self.id), name, kept)


@contextmanager
def _beside(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Iterator[Future[T]]:
    """Do some work beside the block; when it fails, that is told, not what it did to the block."""
    with ThreadPoolExecutor(1, "beside") as pool:
        doing = pool.submit(work, *args, **kwargs)
        try:
            yield doing
        finally:
            doing.result()


def _of_dumped(measured: Measure, dumped: Sequence[str]) -> Measure:
    """Leave out of a seal what tells of databases that take no connections, and were not dumped."""
    structure = dict(measured.structure)
    databases = {key.removeprefix("database ") for key in structure if key.startswith("database ")}
    for closed in sorted(databases - {*dumped}):
        log.warning("database %s takes no connections, so it is not in the snapshot", closed)
        for key in [*structure]:
            if key == f"database {closed}" or key.startswith(f"setting {closed}/"):
                del structure[key]
    return replace(measured, structure=structure)


def _seal(shot: Shot, measured: Measure, phases: Phases) -> Seal:
    return Seal(
        restore_point="",
        lsn=shot.lsn,
        taken_at=shot.taken_at,
        mode="snapshot",
        attempts=1,
        snapshots=shot.snapshots,
        tables=len(measured.tables),
        rows=measured.rows,
        seconds=phases.seconds["dump and seal"],
    )


def _exported(connection: Connection) -> str:
    """Let other sessions of the same database join this connection's snapshot."""
    row = connection.execute("select pg_export_snapshot()").fetchone()
    name = str(row[0]) if row else ""
    assert re.fullmatch(r"[0-9A-F-]+", name)  # noqa: S101 - as PostgreSQL names them
    return name


def _oid(connection: Connection) -> int:
    row = connection.execute(
        "select oid from pg_database where datname = current_database()"
    ).fetchone()
    assert row is not None  # noqa: S101 - we are in it
    return int(row[0])
