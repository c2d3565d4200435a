"""The working directory of a restore: what it is for, and how far a killed run had come."""

import hashlib
import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter
from pydantic_core import to_json

from tasks.control import clock
from tasks.control.errors import Corrupt, Refused
from tasks.postgres.embedded import Home
from tasks.recovery.copies.scratch import Scratch, held
from tasks.recovery.restoring import restored
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.recovering import Reached
from tasks.repository.model import Tablespace


log = logging.getLogger(__name__)

WISH = "wish.json"
REACHED = "reached.json"

FILES = "files"
"""Under this name stands which files differ, after the objects that they come from."""


@dataclass(frozen=True)
class Note:
    """What a working directory is for, when it was begun, and where its tablespaces lie."""

    wish: str
    stamp: str
    spaces: list[str]


def noted(folder: Path) -> Note | None:
    """Return what a working directory is for; None: it says nothing."""
    path = folder / WISH
    return TypeAdapter(Note).validate_json(path.read_bytes()) if path.exists() else None


def work_for(
    home: Home, destination: Destination, wish: Sequence[object], spaces: Sequence[Tablespace]
) -> "Work":
    """Return the working directory of a copy, where a run that was killed may have begun it.

    Args:
        home: whose programs and owner it has.
        destination: where the copy goes.
        wish: what says that two restores are the same; it can be written as JSON.
        spaces: the tablespaces of the source.

    """
    folder, digest = destination.work, hashlib.sha256(json.dumps(wish).encode()).hexdigest()
    known = noted(folder)
    is_same = known is not None and known.wish == digest
    stamp = known.stamp if known and is_same else clock.stamp(clock.now())
    old = destination.path if destination.delta else None
    place = Scratch(folder, home.owner, home.programs, destination.mapped(spaces, stamp), old)
    return Work(place, destination.path, digest, stamp)


def abandon(home: Home, folder: Path, path: Path) -> None:
    """Remove the working directory of a copy that nobody goes on with; absent is fine.

    Args:
        home: whose programs and owner it has.
        folder: the working directory.
        path: where the copy would have gone.

    Raises:
        Refused: somebody works in it.

    """
    if not folder.exists():
        return
    with held(folder):
        known = noted(folder)
        place = Scratch(folder, home.owner, home.programs)
        work = Work(place, path, "", known.stamp if known else "")
        work.clear()
        work.remove()


@dataclass(frozen=True)
class Work:
    """A directory in which one copy is made, recovered, and taken from to its place.

    Args:
        place: the directory.
        path: where the copy goes.
        wish: what says that two restores are the same.
        stamp: the moment in which it was begun, maybe by a run that was killed.

    """

    place: Scratch
    path: Path
    wish: str
    stamp: str

    def begin(self) -> None:
        """Begin, or go on with, what is made here.

        Raises:
            Refused: the directory holds something else.

        """
        folder, known = self.place.path, noted(self.place.path)
        self.place.make(folder)
        if known and known.wish == self.wish and not self._is_useless:
            log.info("going on with what was begun at %s", known.stamp)
            return
        if known is None and {path.name for path in folder.iterdir()} - {f".{WISH}"}:
            raise Refused(
                "the working directory holds something else",
                seen=folder,
                do="remove it, or choose another directory",
            )
        self.clear()
        spaces = sorted(map(str, self.place.mapped.values()))
        self._write(folder / WISH, to_json(Note(self.wish, self.stamp, spaces)))

    @property
    def is_promoted(self) -> bool:
        """Whether the copy was where it should be, and became a cluster of its own."""
        return self.at is not None and not (self.place.data / "recovery.signal").exists()

    @property
    def spaces(self) -> Sequence[str]:
        """Places of tablespaces that a run which was killed has filled, whatever it made."""
        known = noted(self.place.path)
        return known.spaces if known else ()

    @property
    def is_in_place(self) -> bool:
        """Whether just this copy was taken to its place already, and is still there."""
        known = noted(self.place.path)
        is_ours = known is not None and known.wish == self.wish
        return is_ours and self._was_taken and self.path.exists()

    @property
    def _was_taken(self) -> bool:
        return self.at is not None and not self.place.data.exists()

    @property
    def _is_useless(self) -> bool:
        """Whether a run that was killed left nothing to go on with.

        Its copy was taken to its place, and from there; or it was promoted, and nobody looked
        where its recovery ended.
        """
        if self._was_taken:
            return not self.path.exists()
        signal = self.place.data / "recovery.signal"
        return self.is_done("data") and self.at is None and not signal.exists()

    @property
    def at(self) -> Reached | None:
        """Where recovery ended, if that was found to be where it should."""
        path = self.place.path / REACHED
        return TypeAdapter(Reached).validate_json(path.read_bytes()) if path.exists() else None

    def note(self, at: Reached) -> None:
        """Note where recovery ended."""
        self._write(self.place.path / REACHED, to_json(asdict(at)))

    def is_done(self, name: str) -> bool:
        """Tell whether something was done already."""
        return (self.place.path / "done" / name).exists()

    def done(self, name: str) -> None:
        """Note that something was done."""
        self.place.make(self.place.path / "done")
        (self.place.path / "done" / name).touch()

    def lose(self, name: str, said: Sequence[str]) -> None:
        """Note what was lost of something, as somebody has accepted."""
        self.place.make(self.place.path / "lost")
        self._write(self.place.path / "lost" / name, to_json(list(said)))

    @property
    def lost(self) -> list[str]:
        """What was lost, also in a run that was killed."""
        found = sorted(
            (self.place.path / "lost").glob("[!.]*"), key=lambda each: (each.stem == FILES, each)
        )
        return [said for path in found for said in json.loads(path.read_bytes())]

    @contextmanager
    def cleared_when_corrupt(self) -> Iterator[None]:
        """Leave nothing of a copy that is not what it should be."""
        try:
            yield
        except Corrupt:
            self.clear()
            self.remove()
            raise

    @property
    def aside(self) -> Path:
        """Where that goes which is at the place of the copy."""
        return self.path.with_name(f"{self.path.name}.before-{self.stamp}")

    def put_in_place(self) -> Path | None:
        """Take the copy to its place; return where that is which was there, if something was."""
        path = self.path
        if not self.is_in_place:
            if path.exists():
                restored.swap(path, self.aside) if any(path.iterdir()) else path.rmdir()
            self.place.data.rename(path)
        return self.aside if self.aside.exists() else None

    def clear(self) -> None:
        """Empty the directory, of another restore or of one that failed."""
        self.place.cluster.stop("immediate")
        known = noted(self.place.path)
        for space in map(Path, known.spaces if known else ()):
            shutil.rmtree(space, ignore_errors=True)
            if known and space.parent.name.endswith(f".tablespaces-{known.stamp}"):
                with suppress(OSError):  # another tablespace is still there
                    space.parent.rmdir()
        self._empty()

    def remove(self) -> None:
        """Remove the directory, when the copy is in its place."""
        self._empty()
        self.place.path.rmdir()

    def _empty(self) -> None:
        """Remove what is there, and last of all what says whose it is."""
        for path in sorted(self.place.path.iterdir(), key=lambda each: each.name == WISH):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    @staticmethod
    def _write(path: Path, data: bytes) -> None:
        aside = path.with_name(f".{path.name}")
        aside.write_bytes(data)
        aside.rename(path)
