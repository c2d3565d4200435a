"""Encryption beside the work: a file at one end of a pipe, a thread of age at the other."""

import fcntl
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, BinaryIO

from tasks.control.errors import Corrupt, OpsError, WrongKey


PIPE_BYTES = 1 << 20
"""Between us and the thread that encrypts; Linux lets everybody have so much."""


class _Remembering:
    """A file that remembers what broke it, since the library tells only that something did."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._kept(self._file.read, size)
        return data

    def write(self, data: bytes) -> int:
        count: int = self._kept(self._file.write, data)
        return count

    def flush(self) -> None:
        """Do nothing: the file is flushed by whoever opened it."""

    def _kept(self, work: Callable[[Any], Any], argument: object) -> Any:  # noqa: ANN401
        try:
            return work(argument)
        except BaseException as error:
            self.error = error
            raise


class _Beside:
    """Work in a thread, beside what is done at the other end of a pipe."""

    def __init__(self, file: BinaryIO) -> None:
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.reader = os.fdopen(reader, "rb", buffering=PIPE_BYTES)
        self.writer = os.fdopen(writer, "wb", buffering=PIPE_BYTES)
        self.file = _Remembering(file)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def work(self) -> None:
        """Do the work, and close our end of the pipe."""
        raise NotImplementedError

    def end(self) -> BaseException | None:
        """Wait until the work has ended; return what broke it."""
        self._thread.join()
        return self.file.error or self._error

    def _run(self) -> None:
        try:
            self.work()
        except BaseException as error:  # noqa: BLE001 - told where the pipe is closed
            self._error = error


class Encrypting(_Beside):
    """A file that encrypts what is written to it into another one."""

    def __init__(self, file: BinaryIO, recipients: Sequence[object]) -> None:
        """Begin to encrypt into `file`."""
        self._recipients = recipients
        super().__init__(file)

    def work(self) -> None:
        """Encrypt what comes through the pipe."""
        import pyrage  # noqa: PLC0415 - only where something is encrypted

        with self.reader:
            pyrage.encrypt_io(self.reader, self.file, self._recipients)

    def write(self, data: bytes) -> None:
        """Encrypt some bytes; raises what the other file raised."""
        try:
            self.writer.write(data)
        except BrokenPipeError:
            self.close()

    def close(self) -> None:
        """Encrypt the rest; raises what the other file raised."""
        with suppress(BrokenPipeError):
            self.writer.close()
        error = self.end()
        if error is not None:
            raise error

    def abandon(self) -> None:
        """Let the thread end; what it has written is of no use."""
        with suppress(BrokenPipeError):
            self.writer.close()
        self.end()


class Decrypting(_Beside):
    """A file that gives what another one holds encrypted."""

    def __init__(self, file: BinaryIO, identities: Sequence[object], name: str) -> None:
        """Begin to decrypt `file`."""
        self._identities, self._name = identities, name
        super().__init__(file)

    def work(self) -> None:
        """Decrypt into the pipe."""
        import pyrage  # noqa: PLC0415

        with self.writer:
            pyrage.decrypt_io(self.file, self.writer, self._identities)

    def read(self, size: int = -1) -> bytes:
        """Read some bytes.

        Raises:
            Corrupt: what is held was changed, or is encrypted to another key.

        """
        data = self.reader.read(size)
        if not data and size:
            self._require()
        return data

    def close(self) -> None:
        """Let go, whether all was read or not."""
        self.reader.close()
        self.end()

    def _require(self) -> None:
        error = self.end()
        if isinstance(error, OpsError):
            raise error
        if error is not None:
            raise undecrypted(error, self._name)


def undecrypted(error: BaseException, name: str) -> Corrupt:
    """Return what the library meant."""
    if "No matching" in str(error):
        return WrongKey(
            "an encrypted object is encrypted to another key",
            seen=name,
            expected="the identity of one of its recipients",
            do="set AGE_IDENTITY_FILE",
        )
    return Corrupt("an encrypted object was changed", seen=name)
