"""Facts of a seal: what a cluster held at a restore point, and how surely that is known."""

from dataclasses import asdict, dataclass
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
    after the restore point: the copy holds at least these of them, and at most `rows`.
    """

    __pydantic_config__ = _STRICT

    database: str
    table: str
    rows: int
    digest: str
    newest: str | None
    stable_rows: int | None = None

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
class Measure:
    """What a cluster held: tables, how far sequences ran, how it was built, facts, broken rules."""

    __pydantic_config__ = _STRICT

    tables: list[TableSeal]
    sequences: dict[str, int]
    structure: dict[str, str]
    facts: list[Fact]
    rules: list[Fact]

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

    What was measured then is an object of the backup, since it may be large and tells names.
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
