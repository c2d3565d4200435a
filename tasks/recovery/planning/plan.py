"""What a recovery will do, decided before anything is touched: backup, WAL, and what it takes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tasks.control import clock
from tasks.postgres import lsn
from tasks.postgres.lsn import Segment
from tasks.recovery.planning.locate import Stop
from tasks.recovery.planning.target import Target
from tasks.recovery.planning.waldump import Mark
from tasks.recovery.planning.way import Way
from tasks.repository.model import CONFIGURATION, Backup, BackupId, Tablespace


@dataclass(frozen=True)
class Base:
    """A backup that a recovery may begin with: its chain, itself last, and what is known of it.

    Args:
        chain: the backups that it is put together of.
        problem: why no copy can be made of it, whatever is accepted.
        failed: how its bytes failed; somebody may accept that.
        doubts: what is warned of, and refuses nothing.
        differs: whether its last proof found it other than its seal, or corrupt.
        is_proven: whether its last proof recovered it, and found no difference.

    """

    chain: Sequence[Backup]
    problem: str | None = None
    failed: str | None = None
    doubts: Sequence[str] = ()
    differs: bool = False
    is_proven: bool = False

    @property
    def backup(self) -> Backup:
        """The backup itself."""
        return self.chain[-1]

    @property
    def start(self) -> int:
        """The position in bytes from which WAL is replayed."""
        return lsn.parse(self.backup.start_lsn)

    @property
    def stop(self) -> int:
        """The position in bytes at which it has become consistent."""
        return lsn.parse(self.backup.stop_lsn)


@dataclass(frozen=True)
class Window:
    """What can be recovered: the bases, oldest first, the way, and where what is archived ends."""

    stanza: str
    way: Way
    bases: Sequence[Base]
    last: Mark | None = None

    @property
    def earliest(self) -> Base | None:
        """The base with the first consistent point."""
        sound = (each for each in self.bases if each.problem is None)
        reached = (each for each in sound if self.leads(each, each.stop))
        return min(reached, key=lambda each: each.stop, default=None)

    def leads(self, base: Base, position: int) -> bool:
        """Tell whether WAL is archived from a base's start on up to a position, without a gap."""
        run = self.way.run(base.start)
        return self.way.passes(base.backup) and run is not None and position <= self.way.end(run)

    @property
    def told(self) -> str:
        """Its bounds, for people."""
        first = self.earliest
        if first is None:
            return "nothing: no backup leads along this timeline"
        sealed = clock.exact(first.backup.seal.taken_at)
        begins = f"{sealed} ({first.backup.stop_lsn}, {first.backup.id})"
        last = self.last.at if self.last else None
        last = last if last and last > first.backup.seal.taken_at else None
        ends = self.way.end(self.way.runs[-1])
        until = clock.exact(last) if last else "the end of the archive"
        gaps = "".join(
            f", but not from {lsn.spell(self.way.end(a))} to {self._again(b.first)}"
            for a, b in zip(self.way.runs, self.way.runs[1:], strict=False)
            if (a.last + 1) * self.way.size > first.stop
        )
        return f"{begins} to {until} ({lsn.spell(ends)}){gaps}"

    def _again(self, number: int) -> str:
        """Spell from where on points are reached again after a gap that ends before a segment."""
        begin = number * self.way.size
        after = [base.stop for base in self.bases if base.problem is None and base.start >= begin]
        return lsn.spell(min(after)) if after else "the next backup"


@dataclass(frozen=True)
class Needs:
    """What a copy needs of a disk: places for its tablespaces, and bytes while it is made."""

    tablespaces: Sequence[Tablespace]
    bytes: int


@dataclass(frozen=True)
class Plan:
    """What a recovery will do.

    Args:
        target: what was asked for.
        stop: the record that it ends at; None: as soon as the copy is consistent.
        chain: the backups that the copy is put together of, the full one first.
        way: the timeline, and the way to it.
        segments: the WAL that is replayed, in order.
        last: the last transaction that the copy will hold of the WAL; None: it has none.
        witness: the last one before the stop itself, which a server tells of when it pauses there.
        passed_over: newer backups that were not used, and why.
        fetched_bytes: what is read from the repository.
        needed_bytes: what the copy takes up while it is made.
        copy_seconds: what past proofs took to make a copy of this backup; None: none did.
        warnings: what is not known, or differs; it refuses nothing.
        is_accepting: whether bytes that failed, or are missing, are accepted.
        accepted: what of that is known already; more may be found while the copy is made.
        others: the chains of other backups that lead there, the newest first.

    """

    target: Target
    stop: Stop | None
    chain: Sequence[Backup]
    way: Way
    segments: Sequence[Segment]
    last: Mark | None
    witness: Mark | None
    passed_over: Sequence[str]
    fetched_bytes: int
    needed_bytes: int
    copy_seconds: float | None
    warnings: Sequence[str] = field(default_factory=list)
    is_accepting: bool = False
    accepted: Sequence[str] = field(default_factory=list)
    others: Sequence[Sequence[BackupId]] = ()

    @property
    def backup(self) -> Backup:
        """The backup that WAL is replayed on."""
        return self.chain[-1]

    def without(self, bad: BackupId) -> BackupId | None:
        """Return another backup that leads there, and is not put together of a bad one."""
        return next((chain[-1] for chain in self.others if bad not in chain), None)

    @property
    def needs(self) -> Needs:
        """What the copy needs of a disk."""
        return Needs(self.backup.tablespaces, self.needed_bytes)

    @property
    def configuration(self) -> str:
        """Where the source's configuration is found once the copy is restored."""
        backup = self.backup
        is_kept = any(item.plain_name == CONFIGURATION for item in backup.objects)
        laid = ["laid beside the copy, in restored-config/"] if is_kept else []
        lost = backup.configuration_problem
        return "; ".join([*laid, *([f"not kept: {lost}"] if lost else [])]) or (
            "in the data directory"
        )

    @property
    def timeline(self) -> int:
        """The timeline that the copy will be on when recovery ends."""
        return self.way.history.holds(self.stop.position) if self.stop else self.backup.timeline
