"""How many pages of a cluster changed, read from the pages themselves."""

import mmap
import re
import struct
from pathlib import Path


PAGE = 8192

_RELATION = re.compile(r"^\d+(_vm)?(\.\d+)?$")
"""Main forks and visibility maps; the map of free space is not logged."""

_LSN = struct.Struct("<II")
"""PageXLogRecPtr, the first field of PageHeaderData."""


def changed(data: Path, since: int) -> int:
    """Count the pages of all relations with an LSN from a position on; checkpoint first."""
    files = [path for path in (data / "base").rglob("*") if _RELATION.match(path.name)]
    return sum(_changed(path, since) for path in files if path.is_file())


def _changed(path: Path, since: int) -> int:
    if path.stat().st_size == 0:
        return 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        positions = (_LSN.unpack_from(content, at) for at in range(0, len(content), PAGE))
        return sum((high << 32) + low >= since for high, low in positions)
