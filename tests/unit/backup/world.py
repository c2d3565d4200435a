"""A platform, its clock and its repositories, as random operations treat them: no code of ours.

The world knows what retention does not: in which order things truly happened, and from which
timeline another one came. Positions count whole WAL segments, times count hours.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from tasks.backup.policy import Policy, Standing
from tasks.postgres.lsn import Segment
from tasks.repository.model import Damaged
from tasks.repository.proof import BYTES, TIERS
from tests.unit.backup.made import backup


EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

DAY = 24

PASSED = {
    "equal": TIERS,
    "sound": TIERS[:4],
    "differs": TIERS[:4],
    "corrupt": BYTES,
    "recovered": BYTES,
    "failed": TIERS[:1],
}
"""What came out of a proof, and the tiers that passed; an `error` says nothing."""

SOUND = frozenset(PASSED) - {"failed"}
"""What came out where the bytes are good, whatever was found in comparing."""


def moment(hours):
    """Return the time at an hour of the world."""
    return EPOCH + timedelta(hours=hours)


@dataclass(frozen=True)
class Point:
    """A state that the platform had: truly when, by its clock, and where in its WAL."""

    number: int
    at: datetime
    system: str
    timeline: int
    segment: int


@dataclass(frozen=True)
class Taken:
    """What is truly known of a backup: when, and from which segment to which."""

    number: int
    system: str
    timeline: int
    start: int
    seal: int
    document: object

    @property
    def kind(self):
        """Its type."""
        return self.document.type

    @property
    def own_wal(self):
        """The segments without which it cannot be restored."""
        line = range(self.start, self.seal + 1)
        return [(self.system, Segment(self.timeline, number)) for number in line]


@dataclass
class Store:
    """A repository: what lies in it, and how long its owner wants to keep it."""

    policy: Policy
    backups: dict = field(default_factory=dict)
    wal: set = field(default_factory=set)
    proofs: dict = field(default_factory=dict)
    pins: dict = field(default_factory=dict)
    held: set = field(default_factory=set)
    read: set = field(default_factory=set)
    damaged: set = field(default_factory=set)

    def entries(self):
        """Return what a catalogue would list."""
        return [
            Damaged(name, "edited") if name in self.damaged else each.document
            for name, each in self.backups.items()
        ]

    def standings(self, used=()):
        """Return what is known of the backups."""
        return {
            name: Standing(
                passed=PASSED.get(self.known(name), ()),
                has_failed_bytes=self.known(name) == "failed",
                pin="audit" if name in self.pins else None,
                pinned_until=self.pins.get(name),
                held="case 7" if name in self.held else None,
                in_use=name in self.read or name in used,
            )
            for name in self.backups
        }

    def copied(self):
        """Return it as it is now."""
        return replace(
            self,
            backups=dict(self.backups),
            wal=set(self.wal),
            proofs={name: list(found) for name, found in self.proofs.items()},
            damaged=set(self.damaged),
        )

    def known(self, name):
        """Return what the last proof that ran found; None: none did."""
        return next((each for each in reversed(self.proofs.get(name, ())) if each != "error"), None)

    def prove(self, name, found):
        """Record what a proof found."""
        self.proofs.setdefault(name, []).append(found)

    def chain(self, name):
        """Return the names of a backup and of what it is built on, or None where that is lost."""
        found = []
        while name is not None:
            if name not in self.backups or name in self.damaged:
                return None
            found.append(name)
            name = self.backups[name].document.parent
        return found

    def is_sound(self, name):
        """Tell whether a backup can be restored, as far as anybody knows."""
        links = self.chain(name)
        if links is None or self.backups[name].kind == "snapshot":
            return False
        known = [self.known(link) for link in links]
        return known[0] in SOUND or "failed" not in known


@dataclass
class World:
    """The platform with its clock, its timelines, and the repositories that it is backed up to."""

    stores: list
    hour: int = 1000
    number: int = 0
    system: int = 1
    timeline: int = 1
    segment: int = 1
    lines: dict = field(default_factory=lambda: {("1", 1): [(1, 0)]})
    set_back_at: dict = field(default_factory=dict)
    points: list = field(default_factory=list)
    taking: tuple | None = None

    @property
    def now(self):
        """What the clock says."""
        return moment(self.hour) + timedelta(seconds=self.number)

    def write(self, segments, lost=()):
        """Let the platform write some segments, which are archived unless they are lost."""
        for _ in range(segments):
            for store in self.stores:
                if store not in lost:
                    store.wal.add((str(self.system), Segment(self.timeline, self.segment)))
            self.segment += 1
        self.number += 1
        self.points.append(
            Point(self.number, self.now, str(self.system), self.timeline, self.segment - 1)
        )

    def begin(self, kind, parent=None):
        """Begin to take a backup."""
        self.taking = (kind, parent, self.segment)

    def finish(self, stored=100):
        """Complete the backup that is being taken, unless its WAL was lost; put it everywhere."""
        kind, parent, start = self.taking
        self.taking = None
        self.write(1)
        document = backup(
            kind=kind,
            parent=parent,
            system=str(self.system),
            timeline=self.timeline,
            start=start,
            seal=self.segment - 1,
            stored=stored,
            at=self.now,
        )
        made = Taken(
            self.number,
            str(self.system),
            self.timeline,
            start,
            self.segment - 1,
            document,
        )
        for store in self.stores:
            is_whole = set(made.own_wal) <= store.wal
            if is_whole and (parent is None or parent.id in store.backups):
                store.backups[document.id] = made
        return document.id

    def fail_over(self):
        """Promote a standby: a new timeline that goes on where the old one ended."""
        self._branch(self.segment)

    def set_back(self, segment):
        """Restore an earlier state: a new timeline that goes on from there.

        `set_back_at` remembers the line, and later the backup that was taken soon after.
        """
        self._branch(segment)
        self.set_back_at[(str(self.system), self.timeline)] = None

    def upgrade(self):
        """Upgrade: a new cluster, whose timelines and positions begin anew."""
        self.taking = None
        self.system += 1
        self.timeline = self.segment = 1
        self.lines[(str(self.system), 1)] = [(1, 0)]

    def _branch(self, segment):
        self.taking = None
        system = str(self.system)
        newest = max(line for of, line in self.lines if of == system) + 1
        before = [each for each in self.lines[(system, self.timeline)] if each[1] < segment]
        self.lines[(system, newest)] = [*before, (newest, segment)]
        self.timeline, self.segment = newest, segment

    def line_at(self, point, segment):
        """Return the timeline on which a segment lies on the way to a point."""
        way = self.lines[(point.system, point.timeline)]
        return next(line for line, first in reversed(way) if first <= segment)

    def reaches(self, store, name, point):
        """Tell whether a point can be restored from a backup by what lies in a store."""
        made = store.backups[name]
        if made.system != point.system or made.number > point.number or made.seal > point.segment:
            return False
        if self.line_at(point, made.seal) != made.timeline or not store.is_sound(name):
            return False
        return all(
            (point.system, Segment(self.line_at(point, each), each)) in store.wal
            for each in range(made.start, point.segment + 1)
        )

    def restorable(self, store, points):
        """Return those of some points that can be restored."""
        newest = sorted(store.backups, key=lambda name: -store.backups[name].number)
        return {each for each in points if any(self.reaches(store, name, each) for name in newest)}
