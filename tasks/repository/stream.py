"""Between raw and stored bytes in one pass: compressed, encrypted and hashed in, checked out."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, BinaryIO, cast

import zstandard

from tasks.control.errors import Corrupt
from tasks.repository import cipher
from tasks.repository.cipher import PLAIN, Cipher
from tasks.repository.model import StoredObject
from tasks.repository.storage import Storage


LEVEL = 1
"""zstd level: 1 keeps pace with the server on one core."""

CHUNK_BYTES = 1 << 20

COMPRESSED = ".zst"


class _Hashed(io.RawIOBase):
    """A file whose bytes are hashed and counted while they pass."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.hash = hashlib.sha256()
        self.bytes = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._noted(self._file.read(size))
        return data

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        self._file.write(self._noted(data))
        return len(data)

    def _noted(self, data: Any) -> Any:  # noqa: ANN401
        self.hash.update(data)
        self.bytes += len(data)
        return data


class Sink:
    """Takes raw bytes, stores them as their name says, and knows afterwards what was stored."""

    def __init__(self, file: BinaryIO, name: str, key: Cipher, threads: int = 0) -> None:
        """Write to `file`; with `threads` the compression runs beside the caller.

        A name that ends in `.zst` is compressed, one that ends in `.age` encrypted after that.
        """
        self._stored = _Hashed(file)
        into = cast("BinaryIO", self._stored)
        self._encrypting = key.encrypting(into) if name.endswith(cipher.SUFFIX) else None
        self._into: Any = self._encrypting or into
        self._compressor = (
            zstandard.ZstdCompressor(
                level=LEVEL, write_checksum=True, threads=threads
            ).compressobj()
            if COMPRESSED in PurePath(name).suffixes
            else None
        )
        self.raw_bytes = 0

    def write(self, data: bytes | memoryview) -> None:
        """Store some bytes."""
        self.raw_bytes += len(data)
        packed = self._compressor.compress(data) if self._compressor else data
        if packed:
            self._into.write(packed)

    def close(self) -> None:
        """Store what is still held back."""
        if self._compressor:
            self._into.write(self._compressor.flush())
        if self._encrypting:
            self._encrypting.close()

    def abandon(self) -> None:
        """Let the thread that encrypts end, whatever becomes of the object."""
        if self._encrypting:
            self._encrypting.abandon()

    @property
    def stored_bytes(self) -> int:
        """How many bytes were stored."""
        return self._stored.bytes

    @property
    def sha256(self) -> str:
        """Hash of the stored bytes."""
        return self._stored.hash.hexdigest()


class Source(io.RawIOBase):
    """Gives the raw bytes of a stored object; ends well only where all of them are right."""

    def __init__(self, file: BinaryIO, item: StoredObject, key: Cipher) -> None:
        """Read `item` from `file`."""
        self._stored = _Hashed(file)
        self._item = item
        self._raw: Any = self._stored
        self._decrypting = None
        if item.name.endswith(cipher.SUFFIX):
            stored = cast("BinaryIO", self._stored)
            self._raw = self._decrypting = key.decrypting(stored, item.name)
        if COMPRESSED in PurePath(item.name).suffixes:
            self._raw = zstandard.ZstdDecompressor().stream_reader(
                self._raw, read_size=CHUNK_BYTES, read_across_frames=True
            )

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
            data: bytes = self._raw.read(size)
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
        self.close()
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

    def close(self) -> None:
        """Let the thread that decrypts end."""
        if self._decrypting:
            self._decrypting.close()


@dataclass(frozen=True)
class Vault:
    """A storage, and how what is kept in it is compressed and encrypted."""

    storage: Storage
    cipher: Cipher = PLAIN

    @contextmanager
    def storing(self, prefix: str, name: str, kept: list[StoredObject]) -> Iterator[Sink]:
        """Yield a sink for one object; it is stored, and in `kept`, when the block ends well.

        Args:
            prefix: where the object goes.
            name: its name there, which says how it is stored; `.age` is added where all that is
                kept is encrypted.
            kept: the facts of the objects so far.

        """
        name += self.cipher.suffix
        with self.storage.write(f"{prefix}{name}") as file:
            sink = Sink(file, name, self.cipher, threads=1)
            try:
                yield sink
                sink.close()
            except BaseException:
                sink.abandon()
                raise
        kept.append(StoredObject(name, sink.raw_bytes, sink.stored_bytes, sink.sha256))

    @contextmanager
    def reading(self, prefix: str, item: StoredObject) -> Iterator[Source]:
        """Yield the raw bytes of an object; leaving the block checks that all of them were right.

        Raises:
            Corrupt: the object is missing, cut short or changed; names it.
            Refused: it is encrypted and no identity is here.

        """
        with self.storage.open(f"{prefix}{item.name}") as file:
            source = Source(file, item, self.cipher)
            try:
                yield source
                source.finish()
            finally:
                source.close()

    def read(self, prefix: str, item: StoredObject) -> bytes:
        """Read the raw bytes of a small object; raises as `reading`."""
        with self.reading(prefix, item) as source:
            return b"".join(iter(lambda: source.read(CHUNK_BYTES), b""))
