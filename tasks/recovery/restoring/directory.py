"""The directory that a copy is restored into: what may be there, and how the old one is kept."""

import os
import shlex
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tasks.control.errors import Refused
from tasks.recovery.copies.scratch import SPARE_BYTES
from tasks.recovery.planning.plan import Needs
from tasks.recovery.restoring.restored import beside
from tasks.repository.local import LocalStorage
from tasks.repository.model import Tablespace
from tasks.repository.stanza import Stanza


UNSPEAKABLE = frozenset('"\n\r\\')
"""What PostgreSQL's own programs do not take in the path of a data directory."""

MARK = "PG_VERSION"
"""The file by which a data directory is known."""


@dataclass(frozen=True)
class Destination:
    """Where a copy goes.

    Args:
        path: of the data directory, absolute.
        replace: whether the data directory that is there is moved aside.
        delta: whether that is used up instead: files that are the same are taken over.
        is_kept: whether its server stays when we end; a copy for ourselves dies with us.
        tablespaces: where tablespaces go, by where the source has them.

    """

    path: Path
    replace: bool = False
    delta: bool = False
    tablespaces: Mapping[str, Path] = field(default_factory=dict)
    is_kept: bool = True

    def __post_init__(self) -> None:
        """See that PostgreSQL's programs can take the path.

        Raises:
            Refused: they cannot.

        """
        if not self.path.name or set(str(self.path)) & UNSPEAKABLE:
            raise _refused(self.path, "no data directory can be called so")

    @property
    def work(self) -> Path:
        """Where the copy is made, before it takes its name."""
        return self.path.with_name(f".{self.path.name}.restoring")

    def mapped(self, tablespaces: Sequence[Tablespace], stamp: str) -> dict[int, Path]:
        """Return where each tablespace goes; unless told otherwise to a place of this restore."""
        folder = self.path.with_name(f"{self.path.name}.tablespaces-{stamp}")
        return {
            space.oid: self.tablespaces.get(space.location, folder / str(space.oid))
            for space in tablespaces
        }


def chosen(stanza: Stanza, path: Path | None) -> Path:
    """Return the path that is wanted, from the root on; unless told, `restored` in the home."""
    return normal(path or stanza.home.path / "restored")


def normal(path: Path) -> Path:
    """Return a path from the root on, without `..`."""
    return Path(os.path.normpath(path.absolute()))


def examine(
    stanza: Stanza, needs: Needs, destination: Destination, ours: Collection[str] = ()
) -> None:
    """See that a copy may be restored into a directory; nothing is touched.

    Args:
        stanza: whose.
        needs: of the copy.
        destination: where to.
        ours: places of tablespaces that an earlier run which was killed has filled.

    Raises:
        Refused: it may not; names why.

    """
    path, parent = destination.path, destination.path.parent
    if not parent.is_dir() or not stanza.home.owner.can_reach(parent):
        raise _refused(
            path, "the directory above it is not there, or not for the user that runs PostgreSQL"
        )
    if not os.access(parent, os.W_OK):
        raise _refused(path, "nothing can be written in the directory above it")
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise _refused(path, "it is no directory")
    if pid := served_by(path):
        is_ours = beside(path).exists()
        how = f"hl7ops restored stop {shlex.quote(str(path))}" if is_ours else "stop it first"
        raise _refused(path, f"a server runs on it, process {pid}", how)
    for other in (stanza.home.path, *_repositories(stanza)):
        if path == other or path in other.parents:
            raise _refused(path, f"{other} lies in it")
    for above in path.parents:
        if (above / MARK).exists():
            raise _refused(path, f"{above} is a data directory")
    _see_that_it_is_free(destination)
    _see_tablespaces(needs, destination, ours)
    _see_room(needs, destination)


def _see_that_it_is_free(destination: Destination) -> None:
    path = destination.path
    if not path.exists() or not any(path.iterdir()):
        return
    if not (path / MARK).exists():
        raise _refused(path, "it holds files that are no database cluster's")
    if not (destination.replace or destination.delta):
        raise _refused(
            path, "it holds a database cluster", "--replace moves that aside, --delta uses it up"
        )


def _see_tablespaces(needs: Needs, destination: Destination, ours: Collection[str]) -> None:
    """See that tablespaces go to places that are free, above all of the source's own."""
    unknown = destination.tablespaces.keys() - {space.location for space in needs.tablespaces}
    if unknown:
        raise _refused(destination.path, f"the backup has no tablespace at {min(unknown)}")
    for space in needs.tablespaces:
        source = Path(space.location)
        place = destination.tablespaces.get(space.location)
        if destination.path in (source, *source.parents) or source in destination.path.parents:
            raise _refused(destination.path, f"the source's tablespace {source} lies there")
        if place is None:
            continue
        if not place.is_absolute() or place in (source, *source.parents):
            raise _refused(place, "it is the source's tablespace, or no absolute path")
        if place.exists() and any(place.iterdir()) and str(place) not in ours:
            raise _refused(place, "a tablespace goes there, and it is not empty")


def _see_room(needs: Needs, destination: Destination) -> None:
    there = sum(file.stat().st_size for file in _files(destination.work))
    free = shutil.disk_usage(destination.path.parent).free + there
    need = SPARE_BYTES + (0 if destination.delta else needs.bytes)
    if free < need:
        raise Refused(
            "not enough room to restore",
            seen=f"{free >> 20} MiB free in {destination.path.parent}",
            expected=f"{need >> 20} MiB",
            do=f"free {(need - free) >> 20} MiB more, or choose another directory",
        )


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _repositories(stanza: Stanza) -> Iterable[Path]:
    for catalogue in stanza.repositories.values():
        if isinstance(catalogue.storage, LocalStorage):
            yield Path(catalogue.storage.place)


def served_by(path: Path) -> int | None:
    """Return the process that serves a data directory, or None; a server works in its directory."""
    with suppress(OSError, ValueError, IndexError, psutil.Error):
        pid = int((path / "postmaster.pid").read_text().splitlines()[0])
        if Path(psutil.Process(pid).cwd()) == path.resolve():
            return pid
    return None


def _refused(path: Path, seen: str, do: str = "choose another directory") -> Refused:
    return Refused("nothing can be restored there", seen=f"{path}: {seen}", do=do)
