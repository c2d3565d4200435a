"""What all contestants can be asked, whatever they call it."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

from benchmarks.rivals.ground import Answer, Ground


Kind = Literal["full", "incremental"]

SEGMENT = re.compile(r"^([0-9A-F]{24})(?:-[0-9a-f]+)?(?:\.(?:zst|gz|age))*$")


class Rival(Protocol):
    """A tool on a ground, with one stanza named `main`."""

    @property
    def ground(self) -> Ground:
        """The ground that it stands on."""

    @property
    def name(self) -> str:
        """What the table calls it."""

    @property
    def start_key(self) -> str:
        """What its catalogue calls the position at which a backup begins."""

    def set_up(self) -> None:
        """Make its repository, and let it take the server's WAL from now on."""

    def backup(self, kind: Kind) -> None:
        """Take a backup."""

    def settle(self) -> None:
        """See that all WAL that was written is in the repository."""

    def checks(self, backups: Sequence[str]) -> dict[str, Answer]:
        """Run what its documentation says to verify with, and return each command's answer."""

    def places(self) -> list[Path]:
        """Return the directories that are its repository, and what it knows of it elsewhere."""

    def backups(self) -> list[str]:
        """List its complete backups, oldest first."""

    def data(self, backup: str) -> list[Path]:
        """List the files that hold a backup's data, the largest first."""

    def documents(self, backup: str) -> list[Path]:
        """List the files by which a backup is known: the one that counts, then copies of it."""

    def file_list(self, backup: str) -> Path | None:
        """Return where it keeps PostgreSQL's own list of the backup's files."""

    def identity(self) -> list[Path]:
        """List the files that say to which cluster the repository belongs."""

    def wal(self) -> dict[str, Path]:
        """Return the archived WAL segments by their names."""

    def span(self, backup: str) -> tuple[str, str]:
        """Return the first and the last WAL segment that a backup needs."""

    def histories(self) -> list[Path]:
        """List the timeline history files."""


def segments(folder: Path) -> dict[str, Path]:
    """Return the WAL segments below a directory by name, whatever stands behind the name."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {match[1]: path for path in found if (match := SEGMENT.match(path.name))}


def largest_first(folder: Path) -> list[Path]:
    """List the files below a directory by their size."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(files, key=lambda path: (-path.stat().st_size, path))


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a directory."""
    return sum(path.stat().st_size for path in largest_first(folder))
