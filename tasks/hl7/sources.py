"""What is offered to an ingest: files, directories, pipes and standard input."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tasks.control.errors import Refused


STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Sources:
    """What is read, in order, and how many entries of directories are nothing to be read.

    Such are links that lead nowhere or to directories, pipes, sockets and devices.
    """

    paths: list[Path]
    passed_over: int

    def streams(self) -> Iterator[BinaryIO]:
        """Open one after the other; each is closed when the next is asked for."""
        for path in self.paths:
            with _opened(path) as stream:
                yield stream


def find(sources: Sequence[str]) -> Sources:
    """Find what is meant: files and pipes as they are, directories by the names of their files.

    Raises:
        Refused: a path is empty, is not there, is a device, or holds a file that we may not read.

    """
    found: list[Path] = []
    passed_over = 0
    for source in sources:
        path = Path(source)
        if not source.strip():
            raise Refused("an empty path", expected="files, directories or -", do="name them")
        if path.is_dir():
            below = sorted(
                each for each in path.rglob("*") if each.is_symlink() or not each.is_dir()
            )
            files = [each for each in below if each.is_file()]
            passed_over += len(below) - len(files)
            found += files
        elif source == STANDARD_INPUT or path.is_file() or path.is_fifo():
            found.append(path)
        else:
            there = os.path.lexists(path)
            what = "neither a file nor a directory" if there else "no such file or directory"
            raise Refused(what, seen=source, do="correct the path")
    _see_that_they_can_be_read(found)
    return Sources(found, passed_over)


def _see_that_they_can_be_read(paths: list[Path]) -> None:
    if Path(STANDARD_INPUT) in paths and sys.stdin is None:
        raise Refused("standard input is closed", seen="-", do="pipe the messages in")
    closed = [
        path for path in paths if str(path) != STANDARD_INPUT and not os.access(path, os.R_OK)
    ]
    if closed:
        raise Refused(
            "a file cannot be read",
            seen=f"{closed[0]}, {len(closed)} in all",
            expected="files that this user may read",
            do="change their mode, or run as another user",
        )


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if str(path) == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    with path.open("rb") as stream:
        yield stream
