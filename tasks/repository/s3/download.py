"""An object on its way down: where the connection breaks, it is continued where it broke."""

import io
import time
from typing import Any

from tasks.control.errors import Transient
from tasks.repository.s3.address import Address
from tasks.repository.s3.answers import answered


ATTEMPTS = 5
"""How often in a row a broken download is continued without a byte of progress."""

PAUSE_S = 0.5


class Download(io.RawIOBase):
    """Gives the bytes of one object, all of the same version of it."""

    def __init__(self, client: Any, address: Address, name: str) -> None:  # noqa: ANN401
        """Begin to download an object.

        Raises:
            Corrupt: there is no such object.

        """
        self._client, self._address, self._name = client, address, name
        self._at = 0
        with answered(name, str(address)):
            answer = client.get_object(Bucket=address.bucket, Key=address.key(name))
        self._body, self._tag, self._bytes = answer["Body"], answer["ETag"], answer["ContentLength"]

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes, all that are left where it is negative.

        Raises:
            Transient: the store does not give the rest, however often it is asked.

        """
        if size < 0:
            return b"".join(iter(lambda: self.read(1 << 20), b""))
        for attempt in range(ATTEMPTS):
            data = self._some(size)
            if data or self._at == self._bytes:
                return data
            time.sleep(PAUSE_S * attempt)
            self._continue()
        raise Transient(
            "the store does not give the whole of an object",
            seen=f"{self._name}: {self._at} of {self._bytes} bytes from {self._address}",
            do="try again",
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._body.close()
        super().close()

    def _some(self, size: int) -> bytes:
        """Read what comes; nothing where the connection broke."""
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - with S3 only

        try:
            data: bytes = self._body.read(min(size, self._bytes - self._at))
        except (BotoCoreError, OSError):
            return b""
        self._at += len(data)
        return data

    def _continue(self) -> None:
        """Ask for the rest, of the same version."""
        self._body.close()
        with answered(self._name, str(self._address)):
            answer = self._client.get_object(
                Bucket=self._address.bucket,
                Key=self._address.key(self._name),
                Range=f"bytes={self._at}-",
                IfMatch=self._tag,
            )
        self._body = answer["Body"]
