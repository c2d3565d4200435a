"""The block that says where backups are kept and for how long."""

from typing import Any, ClassVar, Literal

from prefect.blocks.core import Block
from pydantic import Field, SecretStr


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
    s3_bucket: str | None = Field(
        default=None,
        title="Bucket",
        description="Bucket of a repository in S3: the only one, or beside the directory.",
    )
    s3_prefix: str | None = Field(
        default=None, title="Prefix", description="Where in the bucket; empty: at its top."
    )
    s3_endpoint_url: str | None = Field(
        default=None, title="Endpoint", description="URL of an S3 server that is not Amazon's."
    )
    s3_region: str | None = Field(default=None, title="Region", description="Region of the bucket.")
    s3_access_key_id: SecretStr | None = Field(
        default=None,
        title="Access key",
        description="Key of S3; empty: the machine's own role or profile.",
    )
    s3_secret_access_key: SecretStr | None = Field(
        default=None, title="Secret access key", description="The secret of that key."
    )
    s3_storage_class: str | None = Field(
        default=None, title="Storage class", description="Such as STANDARD_IA; empty: the store's."
    )
    s3_encryption: Literal["AES256", "aws:kms"] | None = Field(
        default=None,
        title="Encryption by the store",
        description="SSE-S3 or SSE-KMS; recipients below encrypt before anything is sent.",
    )
    s3_kms_key_id: str | None = Field(
        default=None, title="Key of SSE-KMS", description="Empty: the account's own."
    )
    age_recipients: list[str] | None = Field(
        default=None,
        title="age recipients",
        description="Public keys (age1...) that everything kept is encrypted to.",
    )
    age_identity_file: str | None = Field(
        default=None,
        title="File of the age identity",
        description="What reads it again; empty here and below: this machine keeps, others read.",
    )
    age_identity: SecretStr | None = Field(
        default=None, title="age identity", description="The identity itself (AGE-SECRET-KEY-...)."
    )
    snapshot_compression: int | None = Field(
        default=None,
        ge=0,
        le=9,
        title="Compression of snapshots",
        description="Level of the dumps of a snapshot; empty: 9.",
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
