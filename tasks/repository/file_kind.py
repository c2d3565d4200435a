"""What lies under a name in a directory: only regular files are opened."""

import os
from pathlib import Path
from stat import S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK
from typing import BinaryIO

from tasks.control.errors import Corrupt


REGULAR = "a regular file"

_KINDS = {
    S_IFREG: REGULAR,
    S_IFDIR: "a directory",
    S_IFLNK: "a symbolic link",
    S_IFIFO: "a FIFO",
    S_IFSOCK: "a socket",
}

_READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""What takes the place of a file meanwhile neither leads elsewhere nor blocks."""


def kind_of(stat: os.stat_result) -> str:
    """Say what something in a directory is; anything else is a device."""
    return _KINDS.get(S_IFMT(stat.st_mode), "a device")


def opened(path: Path, name: str) -> BinaryIO:
    """Open a regular file for reading.

    Args:
        path: where it is; a link in its place is not followed, one on the way to it is.
        name: what errors call it.

    Raises:
        Corrupt: there is none, it is something else, or the disk does not give it.

    """
    try:
        kind = kind_of(path.lstat())
        if kind == REGULAR:
            return os.fdopen(os.open(path, _READING), "rb")
    except FileNotFoundError:
        raise Corrupt("an object is missing from the repository", seen=f"no {name}") from None
    except OSError as error:
        seen = f"{name}: {error.strerror}"
        raise Corrupt("an object of the repository cannot be opened", seen=seen) from None
    raise Corrupt(
        "an object of the repository is no regular file", seen=f"{name} is {kind}", expected=REGULAR
    )
