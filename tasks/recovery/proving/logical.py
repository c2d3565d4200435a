"""Prove a snapshot: load it into a new cluster and hold that against its seal."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tasks.control import expectations
from tasks.control.errors import Corrupt
from tasks.postgres.contents import LARGE_OBJECTS
from tasks.postgres.server import Server
from tasks.recovery.copies import dumps
from tasks.recovery.copies.entries import Rows, hold_large, parse
from tasks.recovery.copies.load import loaded
from tasks.recovery.copies.scratch import Scratch
from tasks.recovery.proving import holding
from tasks.recovery.proving.record import Record
from tasks.repository.catalogue import Catalogue
from tasks.repository.model import MEASURE, Backup, StoredObject
from tasks.repository.seal import Measure


@dataclass(frozen=True)
class LogicalVerification:
    """One snapshot, the copy that is made of it, and the record of what was found."""

    catalogue: Catalogue
    backup: Backup
    copy: Scratch
    record: Record
    progress: Callable[[str, int, int], None]

    def run(self, meddle: Callable[[Server], None] | None) -> None:
        """Go through the tiers.

        Raises:
            Stopped: a tier did not pass.

        """
        with ExitStack() as stack:
            with self.record.tier("objects"):
                self.objects()
                sealed = self.catalogue.measure(self.backup)
            expectations.warm_up()
            with self.record.tier("manifest"):
                self.manifest(sealed)
            with self.record.tier("boot"):
                server = stack.enter_context(loaded(self.backup, self.copy, self.files))
                self.record.passed("boot", f"{len(self.backup.dumps)} databases loaded")
            if meddle:
                meddle(server)
            holding.hold(self.record, self.backup, sealed, server, self.copy.programs)

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

    def manifest(self, sealed: Measure) -> None:
        """See that every dump can be read and lists the tables that were sealed."""
        missing = []
        for dump in self.backup.dumps:
            entries = parse(dumps.listed(self.copy.programs, self.files / dump.object, "--verbose"))
            rows, large = Rows(entries), hold_large(entries)
            wanted = {t.table for t in sealed.tables if t.database == dump.database}
            missing += [
                f"{dump.database}.{name}"
                for name in sorted(wanted)
                if not (large if name == LARGE_OBJECTS else rows.are_of(name))
            ]
        if missing:
            raise Corrupt("a dump lacks tables that were sealed", seen=", ".join(missing[:5]))
        self.record.passed("manifest", f"pg_restore --list, {len(sealed.tables)} tables")

    def _fetch(self, item: StoredObject) -> None:
        if item.plain_name == MEASURE:
            self.catalogue.measure(self.backup)
        else:
            dumps.fetch(self.catalogue, self.backup, item, self.files)
