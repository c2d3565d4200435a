"""Where a bucket is and how it is spoken to."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from tasks.control.errors import Refused
from tasks.control.settings import Settings


ATTEMPTS = 5
"""How often the client itself asks again where the store is busy or the connection breaks."""

CONNECT_S = 10

READ_S = 60


@dataclass(frozen=True)
class Address:
    """A bucket, the place in it that is ours, and how objects are to be kept there."""

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    storage_class: str | None = None
    encryption: str | None = None
    kms_key: str | None = None
    access_key: SecretStr | None = field(default=None, repr=False)
    secret_key: SecretStr | None = field(default=None, repr=False)
    part_bytes: int = 32 << 20

    @classmethod
    def of(cls, settings: Settings) -> "Address | None":
        """Return the address that the settings name, or None.

        Raises:
            Refused: one half of a pair of keys is missing.

        """
        if (settings.s3_access_key_id is None) != (settings.s3_secret_access_key is None):
            raise Refused(
                "one half of the keys of S3 is missing",
                stanza=settings.stanza,
                expected="S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, or neither of them",
                do="set both; with neither the machine's own role or profile is used",
            )
        if not settings.s3_bucket:
            return None
        return cls(
            bucket=settings.s3_bucket,
            prefix=settings.s3_prefix.strip("/"),
            endpoint=settings.s3_endpoint_url,
            region=settings.s3_region,
            storage_class=settings.s3_storage_class,
            encryption=settings.s3_encryption,
            kms_key=settings.s3_kms_key_id,
            access_key=settings.s3_access_key_id,
            secret_key=settings.s3_secret_access_key,
            part_bytes=settings.s3_part_mib << 20,
        )

    def __str__(self) -> str:
        """Spell it for people: `s3://bucket/prefix`, and where that is not Amazon's, at which."""
        path = f"s3://{self.bucket}/{self.prefix}".rstrip("/")
        return f"{path} at {self.endpoint}" if self.endpoint else path

    def key(self, name: str) -> str:
        """Return an object's key in the bucket."""
        return f"{self.prefix}/{name}" if self.prefix else name

    def name(self, key: str) -> str:
        """Return an object's name from its key."""
        return key.removeprefix(f"{self.prefix}/") if self.prefix else key

    def kept_as(self) -> dict[str, str]:
        """Return what is asked of the store for each object that it is given."""
        wanted = {
            "StorageClass": self.storage_class,
            "ServerSideEncryption": self.encryption,
            "SSEKMSKeyId": self.kms_key,
        }
        return {name: value for name, value in wanted.items() if value}

    @property
    def tells_md5(self) -> bool:
        """Whether the store's ETag is the MD5 of what it has; under keys of KMS it is not."""
        return self.encryption != "aws:kms"

    def client(self) -> Any:  # noqa: ANN401 - the library makes its classes as it runs
        """Return a client, which several threads may use."""
        import boto3  # noqa: PLC0415 - half a second, and needed with S3 only
        from botocore.config import Config  # noqa: PLC0415

        config = Config(
            connect_timeout=CONNECT_S,
            read_timeout=READ_S,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            # Many servers that speak the protocol do not know the newer checksums; each part is
            # sent with its MD5, which all of them check.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path" if self.endpoint else "auto"},
        )
        keys = (self.access_key, self.secret_key)
        given = [key.get_secret_value() if key else None for key in keys]
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=given[0],
            aws_secret_access_key=given[1],
            config=config,
        )
