"""Prove a backup: restore it into a scratch cluster and hold it against its seal."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from tasks.control import clock
from tasks.control.errors import Corrupt
from tasks.postgres import programs
from tasks.postgres.server import Server
from tasks.recovery import amcheck, expectations, unpack
from tasks.recovery.boot import booted
from tasks.recovery.comparison import comparisons
from tasks.recovery.record import Record, Stopped
from tasks.recovery.scratch import Scratch, scratch
from tasks.repository.catalogue import Catalogue
from tasks.repository.measure import everywhere, measure, sequences_of, tables_of
from tasks.repository.model import Backup, Measure, Proof
from tasks.repository.stanza import Stanza
from tasks.repository.wal import Archive


log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""Called with the tier, what is done of it and how much there is, in bytes or tables."""

Meddle = Callable[[Server], None]

MANIFEST_TIMEOUT_S = 3600

FORMAT_SINCE = 180000
"""From this version on `pg_verifybackup` guesses the format, unless it is told."""


def verify(
    stanza: Stanza,
    wanted: str,
    *,
    meddle: Meddle | None = None,
    progress: Progress = lambda _tier, _done, _all: None,
) -> Proof:
    """Prove one backup and record the proof beside it, whatever the verdict.

    Args:
        stanza: whose.
        wanted: its id, or `latest`.
        meddle: called with the restored copy before it is measured; a rehearsal damages it there to
            see that the checks find it. The proof of such a run is not recorded.
        progress: told how far it is.

    Raises:
        Refused: there is no such backup, it is being verified already, the disk has not enough
            room, or the programs are of another version. Nothing is recorded.

    """
    backup = stanza.catalogue.get(wanted)
    started, record = clock.now(), Record()
    reading = stanza.catalogue.storage.hold(f"read-{backup.id}", shared=True, stanza=stanza.name)
    with reading, scratch(stanza.home, backup.id, _room(backup)) as copy:
        try:
            Verification(stanza.catalogue, backup, copy, record, progress).run(meddle)
        except Stopped:
            log.warning("backup %s: a tier did not pass", backup.id)
    proof = Proof(backup.id, stanza.name, started, clock.now(), record.checks, record.seconds)
    if meddle is None:
        stanza.catalogue.record(proof)
    log.info("backup %s: %s", backup.id, proof.verdict)
    return proof


def _room(backup: Backup) -> int:
    """Return the bytes that a copy takes up, with the WAL that it fetches and writes."""
    return backup.bytes_source + 8 * backup.segment_bytes


@dataclass(frozen=True)
class Verification:
    """One backup, the copy that is made of it, and the record of what was found."""

    catalogue: Catalogue
    backup: Backup
    copy: Scratch
    record: Record
    progress: Progress

    def run(self, meddle: Meddle | None) -> None:
        """Go through the tiers.

        Raises:
            Stopped: a tier did not pass.

        """
        with ExitStack() as stack:
            with self.record.tier("objects"):
                self.objects()
            expectations.warm_up()
            with self.record.tier("manifest"):
                self.manifest()
            with self.record.tier("boot"):
                server = stack.enter_context(booted(self.backup, self.copy))
                self.record.passed("boot", self.backup.seal.restore_point)
            if meddle:
                meddle(server)
            found = self.measured(server)
            with self.record.tier("structure"):
                self.record.add(*amcheck.check(server, self.copy.programs))
            with self.record.tier("contents"):
                self.contents(server, found)

    def objects(self) -> None:
        """Read every object back, unpacking it on the way; all are read, also after a bad one."""
        bad: list[Corrupt] = []
        done = 0
        self.copy.make(self.copy.data)
        for item in self.backup.objects:
            try:
                unpack.unpack(self.catalogue, self.backup, item, self.copy)
            except Corrupt as error:
                bad.append(error)
            done += item.raw_bytes
            self.progress("objects", done, self.backup.bytes_source)
        try:
            segments = unpack.fetch_wal(self._archive, self.backup, self.copy)
        except Corrupt as error:
            bad.append(error)
        if bad:
            raise Corrupt("; ".join(map(str, bad)))
        self.record.passed("objects", f"{len(self.backup.objects)} objects, {segments} segments")

    def manifest(self) -> None:
        """Let PostgreSQL compare the files with its manifest and parse the WAL."""
        unpack.link_tablespaces(self.backup, self.copy)
        plain = ["--format=plain"] if self.backup.server_version >= FORMAT_SINCE else []
        done = programs.run(
            self.copy.programs,
            "pg_verifybackup",
            [*plain, "--wal-directory", self.copy.wal, self.copy.data],
            timeout_s=MANIFEST_TIMEOUT_S,
            owner=self.copy.owner,
            accept=(0, 1),
        )
        if done.returncode != 0:
            lines = done.stderr.replace(f"{self.copy.path}/", "").splitlines()
            raise Corrupt("pg_verifybackup found errors", seen=" | ".join(lines[:5]))
        unpack.forget_map(self.copy)
        self.record.passed("manifest", "pg_verifybackup")

    def measured(self, server: Server) -> Measure:
        """Measure the copy as the source was measured, before anything is added to it."""
        seal = self.backup.seal
        since = seal.snapshots if seal.mode == "bounded" else None
        with everywhere(server) as connections:
            tables = tables_of(connections)
            return measure(connections, tables, sequences_of(connections), since)

    def contents(self, server: Server, found: Measure) -> None:
        """Hold what was measured in the copy, and the copy itself, against the seal."""
        suite = expectations.Suite()
        self.record.add(*(suite.compare(each) for each in comparisons(self.backup.seal, found)))
        for database in sorted({fact.subject for fact in self.backup.seal.measure.rules}):
            rules = [fact for fact in self.backup.seal.measure.rules if fact.subject == database]
            self.record.add(*suite.bound(server.database(database), rules))

    @property
    def _archive(self) -> Archive:
        backup = self.backup
        return Archive(
            self.catalogue.storage, backup.stanza, backup.system_identifier, backup.segment_bytes
        )
