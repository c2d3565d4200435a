"""The facts that a repository keeps, equal to their JSON: backups, seals, proofs, pins."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NewType

from pydantic import ConfigDict

from tasks.control.errors import Corrupt, OpsError


FORMAT = 1
"""Version of the documents below; a reader refuses one that it does not know."""

MANIFEST = "backup_manifest.zst"

BackupId = NewType("BackupId", str)
BackupType = Literal["full", "differential", "incremental"]
SealMode = Literal["locked", "quiet", "bounded"]
Verdict = Literal["proven", "failed", "error"]
Outcome = Literal["pass", "fail", "error"]
Tier = Literal["objects", "manifest", "boot", "structure", "contents"]

TIERS: tuple[Tier, ...] = ("objects", "manifest", "boot", "structure", "contents")
"""From the cheapest to the deepest; each rests on the ones before it."""

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class StoredObject:
    """One object of a backup: its name below the backup, its sizes in bytes, its stored hash."""

    __pydantic_config__ = _STRICT

    name: str
    raw_bytes: int
    stored_bytes: int
    sha256: str


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


@dataclass(frozen=True)
class Seal:
    """What a copy recovered to the restore point must equal, and how surely that is known."""

    __pydantic_config__ = _STRICT

    restore_point: str
    lsn: str
    taken_at: datetime
    mode: SealMode
    attempts: int
    snapshots: dict[str, str]
    measure: Measure
    seconds: float


@dataclass(frozen=True)
class Tablespace:
    """A tablespace outside the data directory: its object id and where it lay."""

    __pydantic_config__ = _STRICT

    oid: int
    location: str


@dataclass(frozen=True)
class Backup:
    """A complete backup: everything from its start to its seal is in the repository.

    A differential or incremental one holds what changed since its parent, and the hash of the
    parent's manifest, so that no other backup can stand in the parent's place.
    """

    __pydantic_config__ = _STRICT

    id: BackupId
    stanza: str
    type: BackupType
    parent: BackupId | None
    system_identifier: str
    server_version: int
    started_at: datetime
    finished_at: datetime
    start_lsn: str
    stop_lsn: str
    timeline: int
    segment_bytes: int
    objects: list[StoredObject]
    tablespaces: list[Tablespace]
    seal: Seal
    phases: dict[str, float]
    parent_manifest: str | None = None
    format: int = FORMAT

    @property
    def bytes_source(self) -> int:
        """Bytes that the server sent."""
        return sum(item.raw_bytes for item in self.objects)

    @property
    def manifest(self) -> StoredObject:
        """The server's list of the files of the cluster at that time."""
        return next(item for item in self.objects if item.name == MANIFEST)

    @property
    def bytes_stored(self) -> int:
        """Bytes that the repository holds, without WAL."""
        return sum(item.stored_bytes for item in self.objects)


@dataclass(frozen=True)
class Check:
    """One check of a proof: what was looked at, how it ended, and what was seen."""

    __pydantic_config__ = _STRICT

    tier: Tier
    name: str
    outcome: Outcome
    seen: str = ""


@dataclass(frozen=True)
class Proof:
    """The record of one verification; the verdict follows from its checks and its depth."""

    __pydantic_config__ = _STRICT

    backup: BackupId
    stanza: str
    started_at: datetime
    finished_at: datetime
    checks: list[Check]
    seconds: dict[str, float] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def verdict(self) -> Verdict:
        """`proven` only where every tier has checks and every check passed.

        A check that could not run is an `error`, and so is a tier without a check: a missing
        check is never a pass.
        """
        if any(check.outcome == "fail" for check in self.checks):
            return "failed"
        ran = {check.tier for check in self.checks}
        if any(check.outcome == "error" for check in self.checks) or ran != set(TIERS):
            return "error"
        return "proven"

    @property
    def failed(self) -> list[Check]:
        """The checks that did not pass."""
        return [check for check in self.checks if check.outcome != "pass"]

    def require(self) -> None:
        """See that the backup is proven.

        Raises:
            Corrupt: the copy is not what was sealed.
            OpsError: some check could not run, so that nothing is known.

        """
        if self.verdict == "proven":
            return
        kind = Corrupt if self.verdict == "failed" else OpsError
        raise kind(
            f"backup {self.backup} is not proven",
            stanza=self.stanza,
            seen="; ".join(f"{check.name}: {check.seen}" for check in self.failed[:3])
            or "checks are missing",
            expected="every check of every tier to pass",
            do=f"read the report; hl7ops verify {self.backup} runs the checks again",
        )


@dataclass(frozen=True)
class Pin:
    """A backup that retention must keep, and why."""

    __pydantic_config__ = _STRICT

    backup: BackupId
    reason: str
    pinned_at: datetime
    format: int = FORMAT
