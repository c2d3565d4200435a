"""Settings: defaults, then `hl7ops.yaml`, then the environment, then the block of the stanza."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from tasks.control.errors import Refused


PREFIX = "HL7OPS_"

Depth = Literal["objects", "boot", "structure", "contents"]
"""How deep a backup is proven: read back, recovered, its indexes walked, its contents compared."""


def _listed(value: object) -> object:
    """Return the lines, or the parts between commas, of a text."""
    if not isinstance(value, str):
        return value
    return [part.strip() for part in re.split(r"[,\n]", value) if part.strip()]


class Settings(BaseSettings):
    """Everything an operator can set; the environment name of a field is its name in capitals."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_ignore_empty=True)

    hl7ops_home: Path = Field(
        Path(".hl7ops"), description="Where embedded clusters, keys and scratch space live."
    )
    hl7ops_stanza: str = Field(
        "main", pattern=r"^[a-z0-9][a-z0-9-]{0,30}$", description="Name of the operated cluster."
    )
    hl7ops_port: int = Field(
        4200, ge=1, le=65535, description="First port tried for the Prefect UI."
    )
    hl7ops_programs: Path | None = Field(
        None,
        description=(
            "Directory of PostgreSQL's programs; unset: the embedded ones, and for a backup of"
            " another major version those that its package installed."
        ),
    )

    database_url: SecretStr | None = Field(
        None, description="The operated server; unset: the embedded cluster."
    )
    backup_dir: Path | None = Field(
        None, description="The local repository; unset: `repository` in the home."
    )
    s3_bucket: str | None = Field(
        None, description="Bucket of a repository in S3: the only one, or beside BACKUP_DIR."
    )
    s3_prefix: str = Field("", description="Where in the bucket; unset: at its top.")
    s3_endpoint_url: str | None = Field(
        None, description="Endpoint of an S3 server that is not Amazon's."
    )
    s3_region: str | None = Field(None, description="Region of the bucket.")
    s3_access_key_id: SecretStr | None = Field(
        None, description="Key of S3; unset: the machine's own role or profile."
    )
    s3_secret_access_key: SecretStr | None = Field(None, description="The secret of that key.")
    s3_storage_class: str | None = Field(None, description="Storage class, such as STANDARD_IA.")
    s3_encryption: Literal["AES256", "aws:kms"] | None = Field(
        None, description="Encryption by the store itself: SSE-S3 or SSE-KMS."
    )
    s3_kms_key_id: str | None = Field(None, description="Key of SSE-KMS; unset: the account's own.")
    s3_part_mib: int = Field(
        32, ge=5, le=1024, description="Size of an upload's parts; 10,000 of them are the largest."
    )

    age_recipients: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = Field(
        (), description="age keys that everything kept is encrypted to; several by commas."
    )
    age_identity_file: Path | None = Field(
        None, description="File of the age identity that reads what is encrypted."
    )
    age_identity: SecretStr | None = Field(None, description="That identity itself.")

    backup_rate_mib: int | None = Field(
        None, ge=1, le=1024, description="MiB a second that a backup reads at most."
    )
    seal_rate_mib: int | None = Field(
        None, ge=1, description="MiB a second that a seal reads of tables at most."
    )
    seal_budget_seconds: int | None = Field(
        None, ge=1, description="After so long no further table is sealed; the seal is partial."
    )
    seal_reuse: bool = Field(
        default=True, description="Take over digests of tables that WAL shows to be unchanged."
    )
    seal_exclude: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = Field(
        (),
        description="Patterns of DATABASE.SCHEMA.TABLE that seals leave out; several by commas.",
    )
    proof_full: Depth = Field("contents", description="How deep full backups are proven.")
    proof_differential: Depth = Field("contents", description="How deep differential ones are.")
    proof_incremental: Depth = Field("contents", description="How deep incremental ones are.")
    proof_snapshot: Depth = Field("contents", description="How deep snapshots are.")
    proof_cycle_days: int = Field(
        1, ge=1, le=366, description="Days within which every table is sealed and compared."
    )
    proof_pool: str | None = Field(
        None,
        min_length=1,
        description="Work pool on whose machine backups are proven; unset: where they are taken.",
    )
    digest_on: Literal["primary", "standby"] = Field(
        "primary", description="Where the digests of a seal are computed."
    )
    standby_url: SecretStr | None = Field(
        None, description="The standby, where digests are computed on it."
    )

    snapshot_compression: int = Field(
        9, ge=0, le=9, description="Compression level of the dumps of a snapshot."
    )

    retention_days: int = Field(30, ge=1, le=36_525, description="Days of the kept window.")
    retention_minimum: int = Field(2, ge=1, description="Full backups kept however old.")
    retention_proven: int = Field(1, ge=1, description="Proven chains kept however old.")
    wal_retention_days: int | None = Field(
        None, ge=1, le=36_525, description="Days of which every point stays restorable; unset: all."
    )
    s3_retention_days: int | None = Field(
        None, ge=1, le=36_525, description="The same in S3, where both are used."
    )
    s3_retention_minimum: int | None = Field(None, ge=1, description="The same in S3.")
    s3_retention_proven: int | None = Field(None, ge=1, description="The same in S3.")
    s3_wal_retention_days: int | None = Field(None, ge=1, le=36_525, description="The same in S3.")
    wal_partial_seconds: int = Field(
        10, ge=1, description="How often a stream keeps the unfinished segment, in seconds."
    )
    rpo_minutes: int = Field(60, ge=1, description="Data loss that is tolerated, in minutes.")
    rto_minutes: int = Field(30, ge=1, description="Outage that is tolerated, in minutes.")

    slow_query_threshold_ms: int = Field(100, ge=0, description="A statement above this is slow.")
    cache_hit_rate_target: float = Field(
        70, ge=0, le=100, description="Buffer cache hits wanted, in percent."
    )
    cpu_threshold_percent: float = Field(80, ge=0, le=100, description="CPU load that is reported.")
    memory_threshold_percent: float = Field(
        85, ge=0, le=100, description="Memory use that is reported."
    )
    disk_threshold_percent: float = Field(
        90, ge=0, le=100, description="Disk use that is reported."
    )
    response_threshold_ms: int = Field(500, ge=0, description="Response time that is reported.")
    enable_performance_monitoring: bool = Field(
        default=True, description="Record host and database metrics."
    )
    enable_analytics: bool = Field(default=True, description="Run the analytics reports.")
    analytics_url: SecretStr | None = Field(
        None, description="A standby or restored copy that reports read; unset: STANDBY_URL."
    )
    analytics_copy: Path | None = Field(
        None, description="Data directory of a restored copy that runs, for reports to read."
    )
    analytics_timezone: str = Field(
        "UTC", description="Time zone that hours, weekdays and days of reports are told in."
    )
    analytics_timeout_seconds: int = Field(
        30, ge=1, description="Time that one query of a report may take."
    )
    health_check_seconds: int = Field(30, ge=1, description="Pause between two health checks.")
    failover_timeout_seconds: int = Field(60, ge=1, description="Time a failover may take.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - part of the signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the block, then the environment, then the file: the first that knows wins."""
        file = Path(os.environ.get(f"{PREFIX}CONFIG", "hl7ops.yaml"))
        return init_settings, env_settings, YamlConfigSettingsSource(settings_cls, yaml_file=file)

    @property
    def stanza(self) -> str:
        """Name of the operated cluster."""
        return self.hl7ops_stanza

    @property
    def rto_s(self) -> float:
        """Outage that is tolerated, in seconds."""
        return 60.0 * self.rto_minutes

    @property
    def rpo_s(self) -> float:
        """Data loss that is tolerated, in seconds."""
        return 60.0 * self.rpo_minutes


def load(**block: Any) -> Settings:  # noqa: ANN401 - a block's fields are of every type
    """Return the settings in force; `block` holds the fields that the stanza's block sets.

    Raises:
        Refused: a key is unknown, or a value is not of its type; names the key, never the value.

    """
    known = {name.upper() for name in Settings.model_fields} | {f"{PREFIX}CONFIG"}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        names = sorted(name for name in known if name.startswith(PREFIX))
        raise Refused(
            "unknown setting in the environment",
            seen=", ".join(unknown),
            expected=f"one of {', '.join(names)}",
            do="correct or unset it",
        )
    config = os.environ.get(f"{PREFIX}CONFIG")
    if config and not Path(config).is_file():
        raise Refused(
            f"the file of {PREFIX}CONFIG is not there", seen=config, do="correct or unset it"
        )
    try:
        return Settings(**block)
    except ValidationError as error:
        seen = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False)
        )
        raise Refused(
            "settings do not hold",
            seen=seen,
            expected="the keys and types of `hl7ops settings`",
            do="correct hl7ops.yaml or the environment",
        ) from None
