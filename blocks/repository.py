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
        description="Every point of this many days stays restorable.",
    )
    retention_minimum: int | None = Field(
        default=None,
        ge=1,
        title="Fewest full backups",
        description="Full backups that are kept however old they are.",
    )
