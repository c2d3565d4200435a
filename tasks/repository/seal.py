"""Facts of a seal: what a cluster held at a restore point, and how surely that is known."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import to_json

from tasks.control.errors import Corrupt


SealMode = Literal["locked", "quiet", "bounded", "snapshot"]

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class TableSeal:
    """What one table held: rows, the digest of its contents, and its newest timestamp.

    Under a `bounded` seal `stable_rows` counts the rows of that snapshot which were still there
    after the restore point: the copy holds at least these of them, and at most `rows`. Where the
    table has not changed since an earlier seal, its digest was `taken_from` that backup's.
    """

    __pydantic_config__ = _STRICT

    database: str
    table: str
    rows: int
    digest: str
    newest: str | None
    stable_rows: int | None = None
    taken_from: str | None = None

    @property
    def name(self) -> str:
        """The table's full name: database, schema and table."""
        return f"{self.database}.{self.table}"


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
class Measure:
    """What a cluster held: tables, how far sequences ran, how it was built, facts, broken rules.

    `skipped` are the tables that there was no time for. `standings` say of tables of the source how
    they lay on its disk, so that the next seal can tell whether they have changed.
    """

    __pydantic_config__ = _STRICT

    tables: list[TableSeal]
    sequences: dict[str, int]
    structure: dict[str, str]
    facts: list[Fact]
    rules: list[Fact]
    skipped: list[str] = field(default_factory=list)
    standings: dict[str, Standing] = field(default_factory=dict)
    members: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables)

    def to_bytes(self) -> bytes:
        """Return it as JSON."""
        return to_json(asdict(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> "Measure":
        """Read it from JSON.

        Raises:
            Corrupt: it is none, or not complete.

        """
        try:
            return TypeAdapter(cls).validate_json(data)
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise Corrupt("what a seal measured is not complete", seen=where) from None


@dataclass(frozen=True)
class Seal:
    """A moment that a copy can be recovered to, and how surely its contents are known.

    What was measured then is an object of the backup, since it may be large and tells names. Tables
    were locked for `held_ms` milliseconds; None: they were not.
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

    @property
    def is_partial(self) -> bool:
        """Whether some tables were not sealed, for want of time."""
        return self.skipped > 0
