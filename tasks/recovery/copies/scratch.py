"""Scratch clusters: copies that are restored to be looked at and are always removed again."""

import fcntl
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tasks.control.errors import Refused
from tasks.postgres.cluster import Cluster, socket_directory
from tasks.postgres.copy_configuration import Configuration
from tasks.postgres.embedded import Home
from tasks.postgres.owner import Owner


log = logging.getLogger(__name__)

PORT = 5432

SPARE_BYTES = 512 << 20
"""Room that is left on the disk beside the copy."""


@dataclass(frozen=True)
class Scratch:
    """A directory of our own for one copy.

    Args:
        path: of the directory.
        owner: who runs the copy's server.
        programs: the directory of the programs.
        mapped: where tablespaces lie that do not lie in it.
        old: a data directory whose files are taken over where they are the same; None: there is
            none. It is used up, since the copy shares these files with it.

    """

    path: Path
    owner: Owner
    programs: Path
    mapped: Mapping[int, Path] = field(default_factory=dict)
    old: Path | None = None

    def tablespace(self, oid: int) -> Path:
        """Return where a tablespace of the copy lies: where it is wanted, or beside its data."""
        return self.mapped.get(oid, self.path / "tablespaces" / str(oid))

    @property
    def data(self) -> Path:
        """The data directory of the copy."""
        return self.path / "data"

    @property
    def wal(self) -> Path:
        """Where the copy fetches WAL from."""
        return self.path / "wal"

    @property
    def cluster(self) -> Cluster:
        """The copy as a cluster, reachable by its own socket only; it dies with who started it."""
        sockets = socket_directory(self.path, PORT)
        return Cluster(self.data, sockets, PORT, self.programs, is_copy=True, is_bound=True)

    def configuration(
        self, source: Mapping[str, str] | None = None, home: Path | None = None
    ) -> Configuration:
        """Return what the copy is started with.

        Args:
            source: settings of its source that its backup tells.
            home: of which home it is, unless it lies in it.

        """
        return Configuration(self.data, self.programs, self.owner, self.path, source or {}, home)

    def make(self, path: Path) -> Path:
        """Make a directory that belongs to the copy, with those above it that are missing."""
        if not path.parent.exists():
            self.make(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
        self.owner.take(path)
        return path


@contextmanager
def scratch(home: Home, name: str, need_bytes: int) -> Iterator[Scratch]:
    """Yield a scratch directory, removed when the block ends, or by the next run after a kill.

    Args:
        home: where it is made.
        name: what it is for, such as the id of a backup.
        need_bytes: what the copy will take up.

    Raises:
        Refused: the disk has not enough room, or the same copy is being made already.

    """
    collect(home)
    home.scratch.mkdir(exist_ok=True)
    path = home.scratch / name
    free = shutil.disk_usage(home.scratch).free
    if free < need_bytes + SPARE_BYTES:
        raise Refused(
            "not enough room to restore the backup",
            seen=f"{free >> 20} MiB free in {home.scratch}",
            expected=f"{(need_bytes + SPARE_BYTES) >> 20} MiB",
            do=f"free {(need_bytes + SPARE_BYTES - free) >> 20} MiB more, or set HL7OPS_HOME",
        )
    with held(path):
        copy = Scratch(path, home.owner, home.programs)
        copy.make(path)
        try:
            yield copy
        finally:
            _remove(copy)


def collect(home: Home) -> int:
    """Remove scratch directories that nobody holds any more; return how many there were."""
    found = 0
    for path in sorted(home.scratch.glob("*/")) if home.scratch.exists() else []:
        try:
            with held(path):
                log.warning("removing what a killed run left in %s", path)
                _remove(Scratch(path, home.owner, home.programs))
                found += 1
        except Refused:
            continue
    return found


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a scratch directory, made where it is missing; the kernel lets go when we die."""
    path.mkdir(mode=0o700, exist_ok=True)
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if not _locks(directory) or not _is_still(directory, path):
            raise Refused(
                "this copy is being made, or removed, already",
                seen=path.name,
                do="wait until it ends",
            )
        yield
    finally:
        os.close(directory)


def _locks(directory: int) -> bool:
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(directory: int, path: Path) -> bool:
    """Tell whether a path still leads to the directory that was opened."""
    return path.exists() and path.stat().st_ino == os.fstat(directory).st_ino


def _remove(copy: Scratch) -> None:
    """Stop the copy's server, if it runs, and delete everything of it."""
    copy.cluster.stop("immediate")
    shutil.rmtree(copy.path, ignore_errors=False)
    if copy.cluster.sockets.parent != copy.path:
        shutil.rmtree(copy.cluster.sockets, ignore_errors=True)
