"""Prove a backup: restore it into a scratch cluster and hold it against its seal."""

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from tasks.control import clock, expectations
from tasks.control.errors import Corrupt, NotWritable
from tasks.control.phases import Progress
from tasks.control.settings import Depth
from tasks.postgres import auto_conf, programs
from tasks.postgres.server import Server
from tasks.recovery.copies import combine, unpack
from tasks.recovery.copies.combine import Link, links_of
from tasks.recovery.copies.scratch import Scratch, scratch
from tasks.recovery.proving import amcheck, holding
from tasks.recovery.proving.boot import booted
from tasks.recovery.proving.comparison import Part
from tasks.recovery.proving.logical import LogicalVerification
from tasks.recovery.proving.record import LOGICAL, PHYSICAL, Record, Stopped
from tasks.repository.catalogue import Catalogue
from tasks.repository.chain import chain_to, reading
from tasks.repository.model import Backup, BackupType
from tasks.repository.proof import DEPTHS, Check, Proof, Tier
from tasks.repository.seal import Fingerprint, RestorePoint
from tasks.repository.stanza import Stanza
from tasks.repository.wal import Archive


log = logging.getLogger(__name__)

Meddle = Callable[[Server], None]

MANIFEST_TIMEOUT_S = 3600

LOADED = 8
"""By so much a loaded dump may be larger than the dump."""

FORMAT_SINCE = 180000
"""From this version on `pg_verifybackup` guesses the format, unless it is told."""


@dataclass(frozen=True)
class Beside:
    """Who is told how far a verification is, who meddles with the copy, and how deep it goes."""

    progress: Progress
    meddle: Meddle | None
    depth: Depth


def wanted_depth(stanza: Stanza, kind: BackupType) -> Depth:
    """Return how deep backups of a kind are to be proven."""
    depth: Depth = getattr(stanza.settings, f"proof_{kind}")
    return depth


def verify(
    stanza: Stanza,
    wanted: str,
    *,
    depth: Depth | None = None,
    meddle: Meddle | None = None,
    progress: Progress = lambda _tier, _done, _all: None,
) -> Proof:
    """Prove one backup and record the proof beside it, whatever the verdict.

    Args:
        stanza: whose.
        wanted: its id, or `latest`.
        depth: how deep; None: as the settings want it for backups of its kind.
        meddle: called with the restored copy before it is measured; a rehearsal damages it there to
            see that the checks find it. The proof of such a run is not recorded.
        progress: told how far it is.

    Raises:
        Refused: there is no such backup, it is being verified already, the disk has not enough
            room, or there are no programs of its version. Nothing is recorded.
        WrongKey: the identity at hand does not open it. Nothing is recorded either.

    """
    catalogue, started = stanza.catalogue, clock.now()
    backup = catalogue.get(wanted)
    stanza = stanza.with_programs_of(backup)
    record = Record(names=LOGICAL if backup.type == "snapshot" else PHYSICAL)
    beside = Beside(progress, meddle, depth or wanted_depth(stanza, backup.type))
    with ExitStack() as held:
        with suppress(Stopped):
            _prove(stanza, backup, record, held, beside)
        proof = Proof(
            backup.id,
            stanza.name,
            started,
            clock.now(),
            record.checks,
            record.spent,
            depth=beside.depth,
        )
        if meddle is None:
            try:
                catalogue.record(proof)
            except NotWritable as error:
                log.warning("this proof is not kept: %s", error)
    log.info("backup %s: %s", backup.id, proof.verdict)
    return proof


def _prove(
    stanza: Stanza,
    backup: Backup,
    record: Record,
    held: ExitStack,
    beside: Beside,
) -> None:
    """Go through the tiers, with all that is read held against removal.

    Raises:
        Stopped: a tier did not pass.

    """
    catalogue = stanza.catalogue
    with record.tier("objects"):
        chain = chain_to(catalogue, backup)
    held.enter_context(reading(catalogue, chain))
    with scratch(stanza.home, backup.id, _room(chain)) as copy:
        if backup.type == "snapshot":
            logical = LogicalVerification(
                catalogue, backup, copy, record, beside.progress, beside.depth
            )
            logical.run(beside.meddle)
        else:
            links = links_of(chain, copy)
            physical = Verification(catalogue, links, copy, record, beside.progress, beside.depth)
            physical.run(beside.meddle)


def _room(chain: Sequence[Backup]) -> int:
    """Return the bytes that a copy takes up, with the WAL that it fetches and writes.

    The links of a chain lie beside what is put together of them; a dump is smaller than what it is
    loaded into, by how much its compression level tells best.
    """
    if chain[-1].type == "snapshot":
        return LOADED * chain[-1].bytes_source
    unpacked = sum(link.bytes_source for link in chain)
    return unpacked * min(len(chain), 2) + 8 * chain[-1].segment_bytes


@dataclass(frozen=True)
class Verification:
    """The links of one backup, the copy that is made of them, and the record of what was found."""

    catalogue: Catalogue
    links: list[Link]
    copy: Scratch
    record: Record
    progress: Progress
    depth: Depth = "contents"

    @property
    def backup(self) -> Backup:
        """The backup that is verified: the last link."""
        return self.links[-1].backup

    def run(self, meddle: Meddle | None) -> None:
        """Go through the tiers.

        Raises:
            Stopped: a tier did not pass.

        """
        with self.record.tier("objects"):
            self.objects()
        if self.wants("contents"):
            expectations.warm_up()
        with self.record.tier("manifest"):
            self.manifest()
        sealed = self._sealed() if self.wants("contents") else None
        if not self.wants("boot"):
            return
        points: list[RestorePoint | None] = [*self.backup.seal.points] or [None]
        points = points if sealed else points[:1]
        compared: list[Check] = []
        for moment, point in enumerate(points):
            is_last = meddle is not None or moment == len(points) - 1
            part = Part(sealed, moment) if sealed else None
            compared += self._at(point, part, meddle, is_last=is_last)
            if is_last:
                break
        with self.record.tier("contents"):
            self.record.add(*compared)

    def wants(self, tier: Tier) -> bool:
        """Tell whether the proof is to go so deep."""
        return tier in DEPTHS[self.depth]

    def _sealed(self) -> Fingerprint | None:
        """Return what was sealed; None: nothing was, or it cannot be read, which a check says."""
        if self.backup.seal.mode == "none":
            name, seen = "the contents were sealed", self.backup.seal.problem
            self.record.add(Check("contents", name, "partial", f"not sealed: {seen}"))
            return None
        with suppress(Stopped), self.record.tier("contents"):
            return self.catalogue.fingerprint(self.backup)
        return None

    def _at(
        self, point: RestorePoint | None, part: Part | None, meddle: Meddle | None, *, is_last: bool
    ) -> list[Check]:
        """Recover the copy to a restore point, and return how it stands to what was sealed there.

        The last one is promoted, and its tables and indexes are walked.

        Raises:
            Stopped: it does not recover.

        """
        tools, compared = self.copy.programs, list[Check]()
        with ExitStack() as stack:
            with self.record.tier("boot"):
                server = stack.enter_context(booted(self.backup, self.copy, point, is_last=is_last))
                self.record.passed("boot", point.name if point else "consistent, not sealed")
            if meddle:
                meddle(server)
            if part:
                with suppress(Stopped), self.record.tier("contents"):
                    found = holding.look(server, tools, self.backup, part)
                    found.altered = auto_conf.of_copy(self.copy.data) if is_last else None
                    compared += holding.contents(part, server, found)
                    compared += holding.not_compared(part, found) if is_last else []
            if is_last and self.wants("structure"):
                with suppress(Stopped), self.record.tier("structure"):
                    self.record.add(*amcheck.check(server, tools))
        return compared

    def objects(self) -> None:
        """Read every object back, unpacking it on the way; all are read, also after a bad one."""
        bad: list[Corrupt] = []
        every = sum(link.backup.bytes_source for link in self.links)
        done = 0
        for link in self.links:
            bad += combine.unpack_link(self.catalogue, link)
            done += link.backup.bytes_source
            self.progress("objects", done, every)
        try:
            segments = unpack.fetch_wal(self._archive, self.backup, self.copy)
        except Corrupt as error:
            bad.append(error)
        if bad:
            raise Corrupt("; ".join(map(str, bad)))
        count = sum(len(link.backup.objects) for link in self.links)
        self.record.passed("objects", f"{count} objects, {segments} segments")

    def manifest(self) -> None:
        """Let PostgreSQL compare the files with its manifests, join a chain, and parse the WAL."""
        for link in self.links:
            unpack.link_tablespaces(link.backup, link.place)
        if len(self.links) > 1:
            for link in self.links:
                self._agrees(link.place, "--no-parse-wal")
            combine.combine(self.links, self.copy)
        self._agrees(self.copy, "--wal-directory", self.copy.wal)
        unpack.forget_map(self.copy)
        links = f", {len(self.links)} links put together" if len(self.links) > 1 else ""
        self.record.passed("manifest", f"pg_verifybackup{links}")

    def _agrees(self, place: Scratch, *options: object) -> None:
        plain = ["--format=plain"] if self.backup.server_version >= FORMAT_SINCE else []
        done = programs.run(
            place.programs,
            "pg_verifybackup",
            [*plain, *options, place.data],
            timeout_s=MANIFEST_TIMEOUT_S,
            owner=place.owner,
            accept=(0, 1),
        )
        if done.returncode != 0:
            lines = done.stderr.replace(f"{self.copy.path}/", "").splitlines()
            raise Corrupt("pg_verifybackup found errors", seen=" | ".join(lines[:5]))

    @property
    def _archive(self) -> Archive:
        return self.catalogue.archive(self.backup)
