"""Facts of a backup: what it holds, of which cluster, and what it is built on."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NewType

from pydantic import ConfigDict

from tasks.control.errors import Corrupt
from tasks.repository.seal import Seal


FORMAT = 1
"""Version of the documents below; a reader refuses one that it does not know."""

DOCUMENT = "backup.json"
"""What makes a backup known, the last of its objects."""

MANIFEST = "backup_manifest"
"""The server's list of the files of the cluster at that time."""

FINGERPRINT = "measure.json"
"""What the seal holds of tables and objects; the name is that of earlier versions."""

BackupId = NewType("BackupId", str)

CONFIGURATION = "configuration.tar"
"""Configuration files of the source that lie outside of its data directory."""

ID = re.compile(r"[a-z]+-\d{8}T\d{6}Z\Z")
"""An id: what it is and the second in which it was begun, in UTC."""

BackupType = Literal["full", "differential", "incremental", "snapshot"]

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class StoredObject:
    """One object of a backup: its name below the backup, its sizes in bytes, its stored hash."""

    __pydantic_config__ = _STRICT

    name: str
    raw_bytes: int
    stored_bytes: int
    sha256: str

    @property
    def is_encrypted(self) -> bool:
        """Whether an identity is needed to read it."""
        return self.name.endswith(".age")

    @property
    def plain_name(self) -> str:
        """Its name when it is neither compressed nor encrypted."""
        return self.name.removesuffix(".age").removesuffix(".zst")


@dataclass(frozen=True)
class Tablespace:
    """A tablespace outside the data directory: its object id and where it lay."""

    __pydantic_config__ = _STRICT

    oid: int
    location: str


@dataclass(frozen=True)
class Dump:
    """The dump of one database: its name, and that of the object that holds it."""

    __pydantic_config__ = _STRICT

    database: str
    object: str


@dataclass(frozen=True)
class Backup:
    """A complete backup: everything from its start to its seal is in the repository.

    A differential or incremental one holds what changed since its parent, and the hash of the
    parent's manifest, so that no other backup can stand in the parent's place. A snapshot is
    logical: a dump of each database instead of files and WAL. `superuser` is the role that made the
    cluster; backups of earlier versions do not tell it. `settings` are those of the source that a
    copy takes over; `configuration_problem` is why configuration files outside of the data
    directory were not kept; empty: they were, or there are none.
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
    dumps: list[Dump] = field(default_factory=list)
    superuser: str | None = None
    settings: dict[str, str] = field(default_factory=dict)
    configuration_problem: str = ""
    format: int = FORMAT

    @property
    def maker(self) -> str:
        """The role that made the cluster; where nobody knows, the one that mostly does."""
        return self.superuser or "postgres"

    @property
    def is_sealed(self) -> bool:
        """Whether it has a seal, which a copy can be compared with."""
        return self.seal.mode != "none"

    @property
    def bytes_source(self) -> int:
        """Bytes that the server sent."""
        return sum(item.raw_bytes for item in self.objects)

    @property
    def manifest(self) -> StoredObject:
        """The server's list of the files of the cluster at that time."""
        return self.object(MANIFEST)

    def object(self, plain_name: str) -> StoredObject:
        """Return one object by what it is called when it is not compressed or encrypted.

        Raises:
            Corrupt: there is none.

        """
        for item in self.objects:
            if item.plain_name == plain_name:
                return item
        raise Corrupt("a backup lacks an object", seen=f"no {plain_name} in {self.id}")

    @property
    def bytes_stored(self) -> int:
        """Bytes that the repository holds, without WAL."""
        return sum(item.stored_bytes for item in self.objects)


@dataclass(frozen=True)
class Damaged:
    """A backup whose document cannot be believed; a person decides what becomes of it."""

    id: BackupId
    problem: str
