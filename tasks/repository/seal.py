"""Facts of a seal: what a cluster held at a restore point, and how surely that is known."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Literal
from zlib import crc32

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import to_json

from tasks.control.errors import Corrupt
from tasks.postgres.names import quoted
from tasks.postgres.sequences import SequenceState


SealMode = Literal["locked", "quiet", "bounded", "snapshot", "none"]

EXACT = ("locked", "quiet")
"""Modes in which the snapshots show just what the WAL holds up to the restore point."""

EVERY_KIND = "*"
"""Stands for all kinds of definitions."""

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class TableSeal:
    """What one table held: rows, the digest of its contents, and its newest timestamp.

    Under a `bounded` seal `stable_rows` counts the rows of that snapshot which were still there
    after the restore point: the copy holds at least these of them, and at most `rows`. Where the
    table has not changed since an earlier seal, its digest was `taken_from` that backup's. `moment`
    is the number of the restore point at which it was so; 0 is the seal's own. Of one that belongs
    to an `extension`, or is a materialized `view`, a dump may carry other rows.
    """

    __pydantic_config__ = _STRICT

    database: str
    table: str
    rows: int
    digest: str
    newest: str | None
    stable_rows: int | None = None
    taken_from: str | None = None
    moment: int = 0
    extension: str | None = None
    is_view: bool = False

    @property
    def name(self) -> str:
        """The table's full name: database, schema and table."""
        return f"{quoted(self.database)}.{self.table}"


@dataclass(frozen=True)
class Omission:
    """Something that was not sealed, so that a copy is not compared in it, and why.

    `is_expected` where the operator, or PostgreSQL's own way, wants it so: it does not make a proof
    partial, and is named all the same. `keys` are objects of the catalogs of a `database`, as pairs
    of numbers: neither they nor what needs them is compared; nor are definitions of some `kinds`.
    """

    __pydantic_config__ = _STRICT

    subject: str
    reason: str
    is_expected: bool = False
    database: str = ""
    kinds: list[str] = field(default_factory=list)
    keys: list[tuple[int, int]] = field(default_factory=list)

    @property
    def told(self) -> str:
        """What and why, in one phrase."""
        return f"{self.subject} ({self.reason})"


@dataclass(frozen=True)
class Fact:
    """One counted fact of the platform, such as the messages of one connection."""

    __pydantic_config__ = _STRICT

    check: str
    subject: str
    value: int


@dataclass(frozen=True)
class Standing:
    """How a table lay on the disk: its files with those of its TOAST table, and its changes."""

    __pydantic_config__ = _STRICT

    files: list[str]
    changes: int
    definition: str


@dataclass(frozen=True)
class SequenceSeal:
    """The state of a sequence before the restore point and after it; None: it was the same."""

    __pydantic_config__ = _STRICT

    before: SequenceState
    after: SequenceState | None = None


@dataclass(frozen=True)
class Fingerprint:
    """What a cluster held: tables, sequences, how it was built, facts, broken rules.

    `moments` say of each database at which restore point it was sealed: one after the other where
    there are too few connections for all of them at once. `altered` are the settings of `ALTER
    SYSTEM`. `omitted` is what was not sealed, each with its reason. `standings` say of tables of
    the source how they lay on its disk, so that the next seal can tell whether they have changed.
    Tables that are `not_due` are compared on other days of the cycle. Seals of
    earlier versions have neither `sequence_states` nor `definitions`: their `sequences` are lower
    bounds, and their `structure` was computed in another way and is not compared.
    """

    __pydantic_config__ = _STRICT

    tables: list[TableSeal]
    facts: list[Fact]
    rules: list[Fact]
    moments: dict[str, int] = field(default_factory=dict)
    definitions: dict[str, str] | None = None
    altered: dict[str, str] | None = None
    sequence_states: dict[str, SequenceSeal] | None = None
    omitted: list[Omission] = field(default_factory=list)
    standings: dict[str, Standing] = field(default_factory=dict)
    not_due: list[str] = field(default_factory=list)
    sequences: dict[str, int] = field(default_factory=dict)
    structure: dict[str, str] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)

    @property
    def is_current(self) -> bool:
        """Whether it was computed as it is today, so that its digests can be taken over."""
        return self.sequence_states is not None

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables)

    @property
    def not_compared(self) -> list[Omission]:
        """What was not sealed, those of an earlier version among them."""
        late = [Omission(name, "no time was left") for name in self.skipped]
        return [*self.omitted, *late]

    def to_bytes(self) -> bytes:
        """Return it as JSON."""
        return to_json(asdict(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> "Fingerprint":
        """Read it from JSON.

        Raises:
            Corrupt: it is none, or not complete.

        """
        try:
            return TypeAdapter(cls).validate_json(data)
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise Corrupt("the fingerprint of a seal is incomplete", seen=where) from None


@dataclass(frozen=True)
class RestorePoint:
    """A restore point in the WAL: its name, and the position at which it ends."""

    __pydantic_config__ = _STRICT

    name: str
    lsn: str


@dataclass(frozen=True)
class Share:
    """The part of all tables that is compared at a time: one of so many, by their names."""

    __pydantic_config__ = _STRICT

    number: int = 0
    of: int = 1

    def has(self, name: str) -> bool:
        """Tell whether a table is in this share; it is in the same one of each cycle."""
        return crc32(name.encode(errors="replace")) % self.of == self.number % self.of


WHOLE = Share()
"""All tables."""


@dataclass(frozen=True)
class Seal:
    """A moment that a copy can be recovered to, and how surely its contents are known.

    What was measured then is an object of the backup, since it may be large and tells names. Tables
    were locked for `held_ms` milliseconds; None: they were not. `later` are restore points at which
    tables were sealed that had been emptied or rewritten before they were read. Only tables of the
    `share` were digested. With the mode
    `none` nothing is known of the contents, for the reason in `problem`.
    """

    __pydantic_config__ = _STRICT

    restore_point: str
    lsn: str
    taken_at: datetime
    mode: SealMode
    attempts: int
    snapshots: dict[str, str]
    tables: int
    rows: int
    seconds: float
    skipped: int = 0
    reused: int = 0
    digested_on: Literal["primary", "standby"] = "primary"
    held_ms: float | None = None
    later: list[RestorePoint] = field(default_factory=list)
    problem: str = ""
    share: Share = WHOLE

    @property
    def is_partial(self) -> bool:
        """Whether something was not sealed that should have been."""
        return self.skipped > 0

    @property
    def points(self) -> list[RestorePoint]:
        """The restore points that a proof walks through, in their order."""
        if self.mode == "none":
            return []
        return [RestorePoint(self.restore_point, self.lsn), *self.later]

    @property
    def end_lsn(self) -> str:
        """The position up to which WAL is needed for the proof."""
        return self.later[-1].lsn if self.later else self.lsn


def unsealed(lsn: str, taken_at: datetime, problem: str, seconds: float = 0) -> Seal:
    """Return the seal of a backup of whose contents nothing is known."""
    return Seal("", lsn, taken_at, "none", 0, {}, 0, 0, seconds, problem=problem)


def excluded(name: str, patterns: Collection[str]) -> bool:
    """Tell whether a table is left out of seals, by patterns of its `database.schema.table`.

    A pattern is one of the shell's (`*` and `?`), for the whole name or for schema and table.
    """
    short = name.partition(".")[2]
    return any(fnmatchcase(name, each) or fnmatchcase(short, each) for each in patterns)
