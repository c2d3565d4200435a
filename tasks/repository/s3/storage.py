"""A bucket as a storage."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, BinaryIO, cast

from tasks.control import clock
from tasks.control.errors import Corrupt, OpsError, Refused, Transient
from tasks.repository import lease
from tasks.repository.lease import Mark
from tasks.repository.s3.address import Address
from tasks.repository.s3.answers import answered
from tasks.repository.s3.download import Download
from tasks.repository.s3.upload import Upload
from tasks.repository.storage import HOLDS, Foreign, Stored


NO_UPLOAD = "NoSuchUpload"

UNFINISHED = "#unfinished-"
"""Between the name of an object and the number of an upload that nobody completed."""


@dataclass(frozen=True)
class S3Storage:
    """A repository in a bucket: an object takes its name when its upload is complete."""

    address: Address

    @property
    def place(self) -> str:
        """Address of the bucket."""
        return str(self.address)

    @contextmanager
    def write(self, name: str) -> Iterator[BinaryIO]:
        """Yield a file that goes up while it is written."""
        upload = Upload(self._client, self.address, name)
        try:
            yield cast("BinaryIO", upload)
            upload.finish()
        except BaseException:
            upload.abandon()
            raise

    def put(self, name: str, data: bytes) -> None:
        """Write a small object whole."""
        with self.write(name) as file:
            file.write(data)

    def open(self, name: str) -> BinaryIO:
        """Open an object for reading."""
        return cast("BinaryIO", Download(self._client, self.address, name))

    def get(self, name: str) -> bytes:
        """Read a small object whole."""
        with self.open(name) as file:
            return file.read()

    def exists(self, name: str) -> bool:
        """Tell whether there is an object of that name."""
        try:
            self._head(name)
        except Corrupt:
            return False
        return True

    def objects(self, prefix: str) -> list[Stored]:
        """List the objects below a prefix, by name; holds are none."""
        found = [Stored(self.address.name(o["Key"]), o["Size"]) for o in self._listed(prefix)]
        return sorted(
            (item for item in found if f"/{HOLDS}/" not in item.name), key=lambda item: item.name
        )

    def leftovers(self, prefix: str) -> list[Stored]:
        """List the uploads that nobody completed."""
        pages = self._pages("list_multipart_uploads", prefix)
        try:
            uploads = [upload for page in pages for upload in page.get("Uploads", [])]
        except OpsError as error:
            if NO_UPLOAD not in str(error):
                raise
            return []  # so rclone answers where there never was one
        return [
            Stored(f"{self.address.name(each['Key'])}{UNFINISHED}{each['UploadId']}", 0)
            for each in uploads
        ]

    def foreign(self, stanza: str) -> list[Foreign]:
        """Return nothing: whatever is in a bucket is an object."""
        del stanza
        return []

    def delete(self, name: str) -> None:
        """Delete an object, or abort an upload; what the store keeps locked is refused."""
        key, _, upload = name.partition(UNFINISHED)
        if upload:
            self._abort(key, upload)
            return
        until = self.locked_until(name)
        if until is not None:
            raise Refused(
                "the store keeps an object locked",
                seen=f"{name} in {self.place}, until {clock.readable(until)}",
                do="wait until then; its lock was set when it was written",
            )
        self._ask(name, "delete_object", Key=self.address.key(name))

    def locked_until(self, name: str) -> datetime | None:
        """Return until when the store itself keeps an object; a legal hold has no end."""
        if not self._locks:
            return None
        try:
            head = self._head(name)
        except Corrupt:
            return None
        if head.get("ObjectLockLegalHoldStatus") == "ON":
            return datetime.max.replace(tzinfo=clock.now().tzinfo)
        until: datetime | None = head.get("ObjectLockRetainUntilDate")
        return until if until is not None and until > clock.now() else None

    def held(self, name: str, *, stanza: str) -> bool:
        """Tell whether somebody holds a name."""
        return bool(lease.holders(self, f"{stanza}/{HOLDS}/{name}/"))

    def hold(
        self, name: str, *, shared: bool, stanza: str, patience_s: float = 0, last: bool = False
    ) -> AbstractContextManager[None]:
        """Hold a name by a lease."""
        del last  # a lease leaves nothing behind
        prefix = f"{stanza}/{HOLDS}/{name}/"
        return lease.leased(self, prefix, name, shared=shared, stanza=stanza, patience_s=patience_s)

    def mark(self, name: str) -> None:
        """Write a lease, or renew it."""
        self._ask(name, "put_object", Key=self.address.key(name), Body=b"")

    def unmark(self, name: str) -> None:
        """Remove a lease."""
        self._ask(name, "delete_object", Key=self.address.key(name))

    def marks(self, prefix: str) -> list[Mark]:
        """List leases, with their age by the store's own clock."""
        found = []
        for page in self._pages("list_objects_v2", prefix):
            now = parsedate_to_datetime(page["ResponseMetadata"]["HTTPHeaders"]["date"])
            found += [
                Mark(self.address.name(each["Key"]), (now - each["LastModified"]).total_seconds())
                for each in page.get("Contents", [])
            ]
        return found

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 - the library makes its classes as it runs
        with answered("", self.place):
            return self.address.client()

    @cached_property
    def _locks(self) -> bool:
        """Whether the bucket may lock objects; one that does not tell may."""
        try:
            answer = self._ask("", "get_object_lock_configuration")
        except Refused:
            return True
        except OpsError:
            return False
        return bool(answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled"))

    def _abort(self, name: str, upload: str) -> None:
        try:
            key = self.address.key(name)
            self._ask(name, "abort_multipart_upload", Key=key, UploadId=upload)
        except OpsError as error:
            if NO_UPLOAD not in str(error):
                raise

    def _head(self, name: str) -> dict[str, Any]:
        return self._ask(name, "head_object", Key=self.address.key(name))

    def _listed(self, prefix: str) -> Iterator[dict[str, Any]]:
        for page in self._pages("list_objects_v2", prefix):
            yield from page.get("Contents", [])

    def _pages(self, what: str, prefix: str) -> Iterator[dict[str, Any]]:
        try:
            with answered(prefix, self.place):
                pages = self._client.get_paginator(what).paginate(
                    Bucket=self.address.bucket, Prefix=self.address.key(prefix)
                )
                yield from pages
        except Corrupt:  # a list misses nothing: the answer was an error that was cut short
            raise Transient(
                "the store's answer was cut short", seen=f"{what} in {self.place}", do="try again"
            ) from None

    def _ask(self, name: str, what: str, **arguments: object) -> dict[str, Any]:
        with answered(name, self.place):
            answer: dict[str, Any] = getattr(self._client, what)(
                Bucket=self.address.bucket, **arguments
            )
            return answer
