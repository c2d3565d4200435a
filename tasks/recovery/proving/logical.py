"""Prove a snapshot: load it into a new cluster and hold that against its seal."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from tasks.control import expectations as control
from tasks.control.errors import Corrupt
from tasks.control.settings import Depth
from tasks.postgres import dump_toc
from tasks.postgres.names import joined, quoted
from tasks.postgres.schema_dump import Definition, definitions
from tasks.postgres.server import Server, identify
from tasks.postgres.table_digest import LARGE_OBJECTS
from tasks.recovery.copies import dumps
from tasks.recovery.copies.fixpoint import LoadedDump
from tasks.recovery.copies.load import loaded
from tasks.recovery.copies.scratch import Scratch
from tasks.recovery.proving import amcheck, expectations, holding
from tasks.recovery.proving import loaded as loaded_dumps
from tasks.recovery.proving.comparison import Part
from tasks.recovery.proving.record import LOGICAL, Record, Stopped
from tasks.repository.catalogue import Catalogue
from tasks.repository.model import FINGERPRINT, Backup, StoredObject
from tasks.repository.proof import DEPTHS, Check, Tier
from tasks.repository.seal import Fingerprint


ROWS = ("TABLE DATA",)
VIEWS = ("MATERIALIZED VIEW DATA", "MATERIALIZED VIEW")
"""Entries of a dump that hold the rows of a table, or make those of a materialized view."""


@dataclass(frozen=True)
class LogicalVerification:
    """One snapshot, the copy that is made of it, and the record of what was found."""

    catalogue: Catalogue
    backup: Backup
    copy: Scratch
    record: Record
    progress: Callable[[str, int, int], None]
    depth: Depth = "contents"

    def run(self, meddle: Callable[[Server], None] | None) -> None:
        """Go through the tiers.

        Raises:
            Stopped: a tier did not pass.

        """
        with ExitStack() as stack:
            with self.record.tier("objects"):
                self.objects()
            sealed = self._sealed()
            if self.wants("contents"):
                control.warm_up()
            with self.record.tier("manifest"):
                self.manifest(sealed)
            if not self.wants("boot"):
                return
            with self.record.tier("boot"):
                server, problems = stack.enter_context(loaded(self.backup, self.copy, self.files))
                self.record.add(*_loaded(problems))
            if meddle:
                meddle(server)
            compared: list[Check] = []
            if sealed and self.wants("contents"):
                with suppress(Stopped), self.record.tier("contents"):
                    compared += self._compared(server, sealed, problems)
            if self.wants("structure"):
                with suppress(Stopped), self.record.tier("structure"):
                    self.record.add(*amcheck.check(server, self.copy.programs))
            with self.record.tier("contents"):
                self.record.add(*compared)

    def wants(self, tier: Tier) -> bool:
        """Tell whether the proof is to go so deep."""
        return tier in DEPTHS[self.depth]

    def _sealed(self) -> Fingerprint | None:
        """Return what was sealed; None: it cannot be read, which a check says."""
        with suppress(Stopped), self.record.tier("contents"):
            return self.catalogue.fingerprint(self.backup)
        return None

    def _compared(self, server: Server, sealed: Fingerprint, problems: list[str]) -> list[Check]:
        """Hold what was loaded against the seal, and against the dumps."""
        part = Part(sealed, is_loaded=True)
        found = holding.look(server, self.copy.programs, self.backup, part)
        across = identify(server).major != self.backup.server_version // 10000
        return [
            *holding.contents(part, server, found),
            *loaded_dumps.checks(part, found, self.dumps(server), problems, across=across),
            *holding.not_compared(part, found),
        ]

    def dumps(self, server: Server) -> dict[str, LoadedDump]:
        """Return what each database was loaded from."""
        return {
            dump.database: LoadedDump(
                server.database(dump.database), self.copy.programs, self.files / dump.object
            )
            for dump in self.backup.dumps
        }

    @property
    def files(self) -> Path:
        """Where the dumps lie while they are loaded."""
        return self.copy.path / "dumps"

    def objects(self) -> None:
        """Read every object back; all are read, also after a bad one."""
        self.copy.make(self.files)
        bad: list[Corrupt] = []
        done = 0
        for item in self.backup.objects:
            try:
                self._fetch(item)
            except Corrupt as error:
                bad.append(error)
            done += item.raw_bytes
            self.progress("objects", done, self.backup.bytes_source)
        if bad:
            raise Corrupt("; ".join(map(str, bad)))
        self.record.passed("objects", f"{len(self.backup.objects)} objects")

    def manifest(self, sealed: Fingerprint | None) -> None:
        """See that every dump can be read and holds the definitions and rows that were sealed."""
        sealed = sealed or Fingerprint([], [], [])
        missing = []
        for dump in self.backup.dumps:
            entries = dump_toc.of_dump(self.files / dump.object)
            rows = {joined(dump.database, e.schema, e.tag) for e in entries if e.kind in ROWS}
            rows |= {joined(dump.database, e.schema, e.tag) for e in entries if e.kind in VIEWS}
            large = any(e.kind.startswith("BLOB") for e in entries)
            known = {f"{quoted(dump.database)}.{LARGE_OBJECTS}"} if large else set()
            missing += [
                table.name
                for table in sealed.tables
                if table.database == dump.database
                and not table.extension
                and table.name not in rows | known
            ]
            if sealed.definitions is not None:
                missing += _other(dump.database, sealed.definitions, definitions(entries))
        if missing:
            raise Corrupt("a dump does not hold what was sealed", seen=expectations.named(missing))
        self.record.passed(
            "manifest", f"{len(self.backup.dumps)} dumps, {len(sealed.tables)} tables"
        )

    def _fetch(self, item: StoredObject) -> None:
        if item.plain_name != FINGERPRINT:  # which is read where contents are compared
            dumps.fetch(self.catalogue, self.backup, item, self.files)


def _other(database: str, sealed: Mapping[str, str], found: Iterable[Definition]) -> list[str]:
    """Name the definitions of a dump that are not as they were sealed, or are missing."""
    prefix = f"{quoted(database)}: "
    there = {f"{prefix}{each.name}": each.digest for each in found}
    known = {name: digest for name, digest in sealed.items() if name.startswith(prefix)}
    return [name for name in there.keys() | known.keys() if there.get(name) != known.get(name)]


def _loaded(problems: list[str]) -> list[Check]:
    """Say what did not go in; what of that holds rows is missed where contents are compared."""
    name = LOGICAL["boot"]
    if not problems:
        return [Check("boot", name, "pass")]
    return [Check("boot", name, "partial", expectations.named(problems))]
