"""An object on its way up: in parts, while it is written, each checked by what is answered."""

import base64
import hashlib
import io
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from tasks.control.errors import Corrupt, OpsError, Refused, Transient
from tasks.repository.s3.address import Address
from tasks.repository.s3.answers import answered


PARTS = 10_000
"""The store's own limit (Amazon S3 documentation, "Multipart upload limits")."""


class Upload(io.RawIOBase):
    """Takes the bytes of one object; a full part goes up beside the writing of the next.

    So memory holds two parts, whatever the size of the object. An object of less than one part
    goes up in one piece.
    """

    def __init__(self, client: Any, address: Address, name: str) -> None:  # noqa: ANN401
        """Prepare to upload an object."""
        self._client, self._address, self._name = client, address, name
        self._object = {"Bucket": address.bucket, "Key": address.key(name)}
        self._gathered = bytearray()
        self._worker = ThreadPoolExecutor(1, "upload")
        self._sending: Future[str] | None = None
        self._id: str | None = None
        self._digests: list[bytes] = []
        self._tags: list[str] = []
        self._bytes = 0

    def writable(self) -> bool:
        """Tell that it can be written."""
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        """Take some bytes.

        Raises:
            Transient: the store did not take a part, however often it was asked.
            Refused: the store does not let us, or the object grows too large.

        """
        self._gathered += data
        self._bytes += len(data)
        while len(self._gathered) >= self._address.part_bytes:
            part = bytes(memoryview(self._gathered)[: self._address.part_bytes])
            del self._gathered[: self._address.part_bytes]
            self._send(part)
        return len(data)

    def finish(self) -> None:
        """Complete the object, and see that the store has all of it."""
        try:
            if self._id is None:
                self._put(bytes(self._gathered))
            else:
                if self._gathered:
                    self._send(bytes(self._gathered))
                self._collect()
                self._complete()
        finally:
            self._worker.shutdown()

    def abandon(self) -> None:
        """Let the store forget what was sent; a killed run's is found among the leftovers."""
        self._worker.shutdown(cancel_futures=True)
        if self._id is not None:
            with suppress(OpsError), answered(self._name, str(self._address)):
                self._client.abort_multipart_upload(**self._object, UploadId=self._id)

    def _put(self, data: bytes) -> None:
        digest = hashlib.md5(data, usedforsecurity=False).digest()
        answer = self._asked(
            lambda: self._client.put_object(
                **self._object, Body=data, ContentMD5=_base64(digest), **self._address.kept_as()
            )
        )
        self._see_tag(answer, digest.hex())

    def _send(self, part: bytes) -> None:
        """Hand a part over, once the one before it is up."""
        self._collect()
        if len(self._tags) == PARTS:
            raise Refused(
                "an object is too large for its parts",
                seen=f"{self._name}: more than {PARTS} parts of {self._address.part_bytes} bytes",
                do="raise S3_PART_MIB",
            )
        if self._id is None:
            answer = self._asked(
                lambda: self._client.create_multipart_upload(
                    **self._object, **self._address.kept_as()
                )
            )
            self._id = answer["UploadId"]
        self._digests.append(hashlib.md5(part, usedforsecurity=False).digest())
        self._sending = self._worker.submit(self._sent, part, len(self._digests))

    def _collect(self) -> None:
        """Wait until the part on its way is up."""
        if self._sending is not None:
            self._tags.append(self._sending.result())
            self._sending = None

    def _sent(self, part: bytes, number: int) -> str:
        digest = self._digests[number - 1]
        answer = self._asked(
            lambda: self._client.upload_part(
                **self._object,
                UploadId=self._id,
                PartNumber=number,
                Body=part,
                ContentMD5=_base64(digest),
            )
        )
        self._see_tag(answer, digest.hex())
        return str(answer["ETag"])

    def _complete(self) -> None:
        parts = [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(self._tags, 1)]
        whole = hashlib.md5(b"".join(self._digests), usedforsecurity=False).hexdigest()
        try:
            answer = self._asked(
                lambda: self._client.complete_multipart_upload(
                    **self._object, UploadId=self._id, MultipartUpload={"Parts": parts}
                )
            )
            self._see_tag(answer, f"{whole}-{len(parts)}")
        except OpsError:
            if not self._is_there():  # the answer to an earlier attempt may have been lost
                raise
        if not self._is_there():
            raise Transient(
                "the store has not what was sent",
                seen=f"{self._name} with another size",
                expected=f"{self._bytes} bytes",
                do="try again",
            )

    def _is_there(self) -> bool:
        """Tell whether the store has an object of just this size under the name."""
        try:
            answer = self._asked(lambda: self._client.head_object(**self._object))
        except Corrupt:
            return False
        return bool(answer["ContentLength"] == self._bytes)

    def _see_tag(self, answer: dict[str, Any], expected: str) -> None:
        seen = str(answer.get("ETag", "")).strip('"')
        if self._address.tells_md5 and seen != expected:
            raise Transient(
                "the store took other bytes than were sent",
                seen=f"{self._name}: {seen}",
                expected=expected,
                do="try again",
            )

    def _asked(self, ask: Callable[[], Any]) -> Any:  # noqa: ANN401 - the library is untyped
        with answered(self._name, str(self._address)):
            return ask()


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
