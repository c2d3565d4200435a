"""What a recovery will do, decided before anything is touched: backup, WAL, and what it takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.control import clock
from tasks.control.errors import Refused
from tasks.postgres import lsn
from tasks.postgres.lsn import Segment
from tasks.recovery.planning.locate import Stop
from tasks.recovery.planning.target import Target
from tasks.recovery.planning.waldump import Mark
from tasks.recovery.planning.way import Way
from tasks.repository.model import CONFIGURATION, Backup, Tablespace


@dataclass(frozen=True)
class Base:
    """A backup that a recovery may begin with: its chain, itself last, and what speaks against it.

    `seconds` are what its last proof took to make a copy of it; None: it was never proven.
    """

    chain: Sequence[Backup]
    problem: str | None = None
    seconds: float | None = None

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

    @property
    def backup(self) -> Backup:
        """The backup that WAL is replayed on."""
        return self.chain[-1]

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


def choose(
    target: Target, stop: Stop | None, window: Window, named: str | None
) -> tuple[Base, list[str]]:
    """Choose the backup to begin with: the newest sound one from which the stop is reached.

    Args:
        target: what was asked for.
        stop: the record that recovery ends at; None: as soon as the copy is consistent.
        window: what can be recovered.
        named: the id of the backup to begin with; None: any.

    Returns:
        The base, and what was passed over: newer ones that would lead there too, and why not.

    Raises:
        Refused: there is none; names the nearest valid bounds.

    """
    passed_over: list[str] = []
    why: list[str] = []
    for base in reversed(window.bases):
        if named not in (None, base.backup.id):
            continue
        hindrance = _hindrance(base, stop, window)
        if hindrance is None and base.problem is None:
            return base, passed_over
        if hindrance is None:
            passed_over.append(f"{base.backup.id}: {base.problem}")
        why.append(f"{base.backup.id}: {hindrance or base.problem}")
    raise Refused(
        "no backup leads to this point",
        stanza=window.stanza,
        seen=f"{target}; {'; '.join(why[:3]) or 'there is no physical backup'}",
        expected=window.told,
        do="choose a point of that window",
    )


def _hindrance(base: Base, stop: Stop | None, window: Window) -> str | None:
    """Say why a base does not lead to a stop, whatever state it is in; None: it does."""
    if not window.way.passes(base.backup):
        return (
            f"is of timeline {base.backup.timeline}, off the way to {window.way.history.timeline}"
        )
    end = stop.end if stop else base.stop
    if end < base.stop:
        return f"became consistent at {base.backup.stop_lsn} only, after that point"
    if stop and stop.begun_by and base.backup.started_at > stop.begun_by:
        return "was begun after that time, and WAL before it is missing"
    if not window.leads(base, end):
        run = window.way.run(base.start)
        reached = lsn.spell(window.way.end(run)) if run else "nothing"
        return f"WAL from its start on reaches {reached} only"
    return None
