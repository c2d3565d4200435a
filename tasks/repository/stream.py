"""Between raw and stored bytes in one pass: compressed and hashed in, checked out."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

import zstandard

from tasks.control.errors import Corrupt
from tasks.repository.model import StoredObject
from tasks.repository.storage import LocalStorage


LEVEL = 1
"""zstd level: 1 keeps pace with the server on one core."""

CHUNK_BYTES = 1 << 20


class Sink:
    """Takes raw bytes, stores them compressed, and knows afterwards what was stored."""

    def __init__(self, file: BinaryIO, threads: int = 0) -> None:
        """Write to `file`; with `threads` the compression runs beside the caller."""
        self._file = file
        self._hash = hashlib.sha256()
        self._compressor = zstandard.ZstdCompressor(
            level=LEVEL, write_checksum=True, threads=threads
        ).compressobj()
        self.raw_bytes = 0
        self.stored_bytes = 0

    def write(self, data: bytes | memoryview) -> None:
        """Store some bytes."""
        self.raw_bytes += len(data)
        self._keep(self._compressor.compress(data))

    def close(self) -> None:
        """Store what is still held back."""
        self._keep(self._compressor.flush())

    @property
    def sha256(self) -> str:
        """Hash of the stored bytes."""
        return self._hash.hexdigest()

    def _keep(self, data: bytes) -> None:
        if data:
            self._hash.update(data)
            self._file.write(data)
            self.stored_bytes += len(data)


@contextmanager
def storing(
    storage: LocalStorage, prefix: str, name: str, kept: list[StoredObject]
) -> Iterator[Sink]:
    """Yield a sink for one object; it is stored, and in `kept`, when the block ends well."""
    with storage.write(f"{prefix}{name}") as file:
        sink = Sink(file, threads=1)
        yield sink
        sink.close()
    kept.append(StoredObject(name, sink.raw_bytes, sink.stored_bytes, sink.sha256))


class _Hashed(io.RawIOBase):
    """A file whose bytes are hashed and counted while they are read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.hash = hashlib.sha256()
        self.bytes = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.hash.update(data)
        self.bytes += len(data)
        return data


class Source(io.RawIOBase):
    """Gives the raw bytes of a stored object; ends well only where all of them are right."""

    def __init__(self, file: BinaryIO, item: StoredObject) -> None:
        """Read `item` from `file`."""
        self._stored = _Hashed(file)
        self._raw = zstandard.ZstdDecompressor().stream_reader(
            cast("BinaryIO", self._stored), read_size=CHUNK_BYTES, read_across_frames=True
        )
        self._item = item

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes, all where it is negative.

        Raises:
            Corrupt: the stored bytes are not those that were kept, or the disk does not give
                them; names the object.

        """
        try:
            data = self._raw.read(size)
        except (zstandard.ZstdError, OSError):
            raise Corrupt("an object cannot be read", seen=self._item.name) from None
        return data

    def finish(self) -> None:
        """Read to the end and compare size and hash with what was kept.

        Raises:
            Corrupt: they differ; names the object.

        """
        while self.read(CHUNK_BYTES):
            pass
        while self._stored.read(CHUNK_BYTES):
            pass
        if self._stored.bytes != self._item.stored_bytes:
            raise Corrupt(
                "an object has another size",
                seen=f"{self._item.name}: {self._stored.bytes} bytes",
                expected=f"{self._item.stored_bytes} bytes",
            )
        if self._stored.hash.hexdigest() != self._item.sha256:
            raise Corrupt("an object has other contents", seen=self._item.name, expected="its hash")


@contextmanager
def reading(storage: LocalStorage, prefix: str, item: StoredObject) -> Iterator[Source]:
    """Yield the raw bytes of an object; leaving the block checks that all of them were right."""
    with storage.open(f"{prefix}{item.name}") as file:
        source = Source(file, item)
        yield source
        source.finish()
