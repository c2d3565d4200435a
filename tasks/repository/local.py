"""Objects in a directory: written whole or not at all, listed, read, deleted and held."""

import errno
import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, BinaryIO

from tasks.control.errors import NotWritable, OpsError, Refused, Transient
from tasks.repository.file_kind import REGULAR, kind_of, opened
from tasks.repository.storage import HOLDS, Foreign, Stored, in_use


PARTIAL = ".partial-"
"""What the name of an unfinished object begins with; no finished object's name does."""

_MISPLACED = {
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENOENT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
}
"""What a disk says where a repository cannot be, however often it is asked."""


@dataclass(frozen=True)
class LocalStorage:
    """A repository in a directory of this machine; only its owner may look inside."""

    root: Path

    @property
    def place(self) -> str:
        """The directory."""
        return str(self.root)

    @contextmanager
    def write(self, name: str) -> Iterator[BinaryIO]:
        """Yield a file whose contents take the name when the block ends well, durably.

        Raises:
            OpsError: the disk is full or refuses; nothing takes the name.

        """
        path = self._path(name)
        aside = path.with_name(f"{PARTIAL}{path.name}.{uuid.uuid4().hex[:8]}")
        with _reported(name):
            self._enter(path.parent)
            try:
                with aside.open("xb") as file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                aside.replace(path)
                _sync_directory(path.parent)
            except BaseException:
                aside.unlink(missing_ok=True)
                raise

    def put(self, name: str, data: bytes) -> None:
        """Write a small object whole."""
        with self.write(name) as file:
            file.write(data)

    def open(self, name: str) -> BinaryIO:
        """Open a finished object for reading.

        Raises:
            Corrupt: there is none of that name, or the disk does not give it.

        """
        return opened(self._path(name), name)

    def get(self, name: str) -> bytes:
        """Read a small object whole."""
        with self.open(name) as file:
            return file.read()

    def exists(self, name: str) -> bool:
        """Tell whether there is a finished object of that name."""
        try:
            return kind_of(self._path(name).lstat()) == REGULAR
        except OSError:
            return False

    def objects(self, prefix: str) -> list[Stored]:
        """List the finished objects below a prefix that ends in a slash, by name."""
        return [item for item in self._regular(prefix) if PARTIAL not in item.name]

    def leftovers(self, prefix: str) -> list[Stored]:
        """List what interrupted writes left behind."""
        return [item for item in self._regular(prefix) if PARTIAL in item.name]

    def foreign(self, stanza: str) -> list[Foreign]:
        """List what is no regular file below a stanza, and what lies beside all stanzas."""
        inside = [(name, kind_of(stat)) for name, stat in self._walk(f"{stanza}/")]
        beside = [
            (path.name, kind_of(path.lstat()))
            for path in (sorted(self.root.iterdir()) if self.root.is_dir() else [])
            if path.is_symlink() or not (path.name == stanza or _is_stanza(path))
        ]
        every = [each for each in inside if each[1] != REGULAR]
        return [Foreign(*each) for each in [*every, *beside]]

    def delete(self, name: str) -> None:
        """Delete an object and the directories that it leaves empty; absent already is fine."""
        path = self._path(name)
        with _reported(name):
            path.unlink(missing_ok=True)
        for parent in path.parents:
            if parent == self.root:
                break
            try:
                parent.rmdir()
            except OSError:
                break

    def locked_until(self, name: str) -> datetime | None:
        """Return None: a directory locks nothing."""
        del name
        return None

    def held(self, name: str, *, stanza: str) -> bool:
        """Tell whether somebody holds a name."""
        with _reported(name):
            try:
                with self._path(f"{stanza}/{HOLDS}/{name}").open("a+") as file:
                    return not _locks(file, shared=False)
            except (FileNotFoundError, NotADirectoryError):
                return False

    @contextmanager
    def hold(
        self, name: str, *, shared: bool, stanza: str, patience_s: float = 0, last: bool = False
    ) -> Iterator[None]:
        """Hold a name while the block runs; the kernel lets go when the process dies."""
        path = self._path(f"{stanza}/{HOLDS}/{name}")
        with _reported(path.name):
            self._enter(path.parent)
            held = path.open("a+")
        with held as file:
            deadline = time.monotonic() + patience_s
            while not _locks(file, shared=shared) and time.monotonic() < deadline:
                time.sleep(0.1)
            if not _locks(file, shared=shared):
                raise in_use(name, stanza, "another process holds it")
            yield
            if last:
                path.unlink(missing_ok=True)

    def _regular(self, prefix: str) -> Iterator[Stored]:
        for name, stat in self._walk(prefix):
            if kind_of(stat) == REGULAR:
                yield Stored(name, stat.st_size)

    def _walk(self, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
        """Yield what lies below a prefix but directories; a link to one is not followed."""
        for folder, folders, files in os.walk(self._path(prefix)):
            folders.sort()
            if Path(folder).name == HOLDS:
                continue
            links = [name for name in folders if Path(folder, name).is_symlink()]
            for file in sorted([*files, *links]):
                path = Path(folder, file)
                with suppress(FileNotFoundError):  # deleted, or given its name, meanwhile
                    yield str(path.relative_to(self.root)), path.lstat()

    def _enter(self, folder: Path) -> None:
        """Make a directory where it is missing, and those above it, closed to all others."""
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        for each in reversed(missing):
            each.mkdir(exist_ok=True, mode=0o700)

    def _path(self, name: str) -> Path:
        path = self.root / name
        if ".." in path.parts:
            raise OpsError("not a name of an object", seen=name)
        return path


def _is_stanza(path: Path) -> bool:
    return any(os.path.exists(path / each) for each in ("stanza.json", HOLDS))  # noqa: PTH110 - quiet


def _locks(file: IO[str], *, shared: bool) -> bool:
    """Lock a file if that can be had at once, and tell whether; twice does no harm."""
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _reported(name: str) -> Iterator[None]:
    """Turn what the disk says into the house's errors."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Refused(
                "the repository is full",
                seen=f"no space for {name}",
                do="free space, or lower RETENTION_DAYS and run cleanup",
            ) from None
        if error.errno in _MISPLACED:
            raise NotWritable(
                "the repository cannot be written",
                seen=f"{error.filename}: {error.strerror}",
                expected="a directory in which this user may write",
                do="correct BACKUP_DIR, or its permissions",
            ) from None
        raise Transient(
            "the repository refused a write", seen=f"{name}: {error.strerror}", do="see its disk"
        ) from None


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
