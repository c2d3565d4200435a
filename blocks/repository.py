"""The block that says where backups are kept and for how long."""

from typing import Any, ClassVar

from prefect.blocks.core import Block
from pydantic import Field


class BackupRepository(Block):
    """The backup repository of one stanza; the block's name is the name of the stanza.

    A field that is left empty falls back to the environment, `hl7ops.yaml` and the defaults.
    """

    _block_type_name: ClassVar[str] = "Backup Repository"
    _block_type_slug: ClassVar[str] = "hl7ops-backup-repository"
    _description: ClassVar[str] = "Where the backups of a stanza are kept, how many and how long."
    _documentation_url: ClassVar[Any] = "https://www.postgresql.org/docs/current/backup.html"
    _code_example: ClassVar[str] = """
    ```python
    from blocks.repository import BackupRepository

    repository = BackupRepository.load("BLOCK_NAME")
    ```
    """

    backup_dir: str | None = Field(
        default=None,
        title="Directory",
        description="Absolute path of a local directory; empty: `repository` in the home.",
    )
    retention_days: int | None = Field(
        default=None,
        ge=1,
        title="Kept window (days)",
        description="Backups younger than this stay, and one from before, to begin with.",
    )
    retention_minimum: int | None = Field(
        default=None,
        ge=1,
        title="Fewest full backups",
        description="Full backups that are kept however old they are.",
    )
    retention_proven: int | None = Field(
        default=None,
        ge=1,
        title="Fewest proven chains",
        description="Proven backups, with what they are built on, kept however old they are.",
    )
    wal_retention_days: int | None = Field(
        default=None,
        ge=1,
        title="Kept window of WAL (days)",
        description="Days of which every point is restorable; empty: those of the kept window.",
    )
    s3_retention_days: int | None = Field(
        default=None,
        ge=1,
        title="Kept window in S3 (days)",
        description="The same in S3, where both a directory and a bucket are used.",
    )
    s3_retention_minimum: int | None = Field(
        default=None,
        ge=1,
        title="Fewest full backups in S3",
        description="The same in S3; empty: as in the directory.",
    )
    s3_retention_proven: int | None = Field(
        default=None,
        ge=1,
        title="Fewest proven chains in S3",
        description="The same in S3; empty: as in the directory.",
    )
    s3_wal_retention_days: int | None = Field(
        default=None,
        ge=1,
        title="Kept window of WAL in S3 (days)",
        description="The same in S3; empty: as in the directory.",
    )
