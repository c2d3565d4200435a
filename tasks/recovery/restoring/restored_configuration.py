"""Configuration that its source had outside of the data directory, laid beside a copy.

Nothing reads it there: a person compares it with what this machine has, and takes over what fits.
"""

import tarfile
from pathlib import Path

from tasks.control.errors import Corrupt
from tasks.postgres.owner import Owner


FOLDER = "restored-config"


def lay(tar: Path, beside: Path, owner: Owner) -> Path | None:
    """Lay the files of a backup's object beside a copy, under their absolute paths.

    Args:
        tar: where the object was fetched to; absent: the backup has none.
        beside: the folder beside the copy.
        owner: who runs its server; nobody else can read them, since they may hold passwords.

    Raises:
        Corrupt: the object holds what no backup put there.

    """
    if not tar.exists():
        return None
    root = beside / FOLDER
    with tarfile.open(tar) as kept:
        for member in kept:
            file = kept.extractfile(member) if member.isfile() else None
            if file is None or member.name.startswith("/") or ".." in Path(member.name).parts:
                raise Corrupt("configuration that was kept cannot be laid out", seen=member.name)
            path = root / member.name
            _make(path.parent, beside, owner)
            path.touch(mode=0o600)
            path.write_bytes(file.read())
            owner.take(path)
    return root


def _make(folder: Path, above: Path, owner: Owner) -> None:
    if folder != above and not folder.is_dir():
        _make(folder.parent, above, owner)
        folder.mkdir(mode=0o700)
        owner.take(folder)
