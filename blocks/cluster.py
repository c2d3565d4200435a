"""The block that says where the operated cluster is."""

from typing import Any, ClassVar, Literal

from prefect.blocks.core import Block
from pydantic import Field, SecretStr


class PostgresCluster(Block):
    """One operated PostgreSQL cluster; the block's name is the name of its stanza.

    A field that is left empty falls back to the environment, `hl7ops.yaml` and the defaults.
    """

    _block_type_name: ClassVar[str] = "PostgreSQL Cluster"
    _block_type_slug: ClassVar[str] = "hl7ops-postgres-cluster"
    _description: ClassVar[str] = "Where an operated PostgreSQL cluster is and what is expected."
    _documentation_url: ClassVar[Any] = "https://www.postgresql.org/docs/current/libpq-connect.html"
    _code_example: ClassVar[str] = """
    ```python
    from blocks.cluster import PostgresCluster

    cluster = PostgresCluster.load("BLOCK_NAME")
    ```
    """

    database_url: SecretStr | None = Field(
        default=None,
        title="Database URL",
        description="libpq URL of a superuser or a role with REPLICATION; empty: the embedded"
        " cluster.",
    )
    standby_url: SecretStr | None = Field(
        default=None,
        title="URL of the standby",
        description="Where digests are computed on a standby.",
    )
    digest_on: Literal["primary", "standby"] | None = Field(
        default=None,
        title="Digests are computed on",
        description="The primary, or its standby, which then has the load of it.",
    )
    backup_rate_mib: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        title="Rate of a backup (MiB/s)",
        description="What a backup reads at most; empty: as fast as it can.",
    )
    seal_rate_mib: int | None = Field(
        default=None,
        ge=1,
        title="Rate of a seal (MiB/s)",
        description="What a seal reads of tables at most; empty: as fast as it can.",
    )
    seal_budget_seconds: int | None = Field(
        default=None,
        ge=1,
        title="Budget of a seal (seconds)",
        description="After so long no further table is sealed, and the proof is partial.",
    )
    rpo_minutes: int | None = Field(
        default=None,
        ge=1,
        title="Recovery point objective (minutes)",
        description="Data loss that is tolerated; the report is red beyond it.",
    )
    rto_minutes: int | None = Field(
        default=None,
        ge=1,
        title="Recovery time objective (minutes)",
        description="Outage that is tolerated; a restore that takes longer is reported.",
    )
