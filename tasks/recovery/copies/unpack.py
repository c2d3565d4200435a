"""From stored objects to a data directory: read, checked and unpacked in one stream each."""

import logging
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from tasks.control.errors import Corrupt, WrongKey
from tasks.postgres import lsn
from tasks.postgres.basebackup import MANIFEST
from tasks.postgres.lsn import Segment
from tasks.recovery.copies.scratch import Scratch
from tasks.repository.catalogue import Catalogue
from tasks.repository.history import file_name
from tasks.repository.model import MEASURE, Backup, StoredObject
from tasks.repository.stream import Source
from tasks.repository.wal import Archive, Kept, needed


log = logging.getLogger(__name__)

COPY_BYTES = 1 << 20


@dataclass(frozen=True)
class Tree:
    """A directory that is filled, and an old one whose files are taken over where they are same."""

    root: Path
    old: Path | None


def unpack(catalogue: Catalogue, backup: Backup, item: StoredObject, copy: Scratch) -> None:
    """Unpack one object of a backup into a copy, and see that every byte was the one kept.

    Raises:
        Corrupt: the object is missing, cut short or changed; names it.

    """
    with catalogue.vault.reading(catalogue.prefix(backup.id), item) as source:
        name = item.plain_name
        if name == MANIFEST:
            _write(copy, copy.data / MANIFEST, source)
            return
        if name == MEASURE:
            return
        oid = name.removesuffix(".tar")
        if oid == "base":
            _untar(copy, Tree(copy.make(copy.data), copy.old), source, item.name)
        else:
            old = copy.old / "pg_tblspc" / oid if copy.old else None
            tree = Tree(copy.make(copy.tablespace(int(oid))), old)
            _untar(copy, tree, source, item.name)


def link_tablespaces(backup: Backup, copy: Scratch) -> None:
    """Lead the copy's tablespaces to its own directories, never to the source's."""
    for space in backup.tablespaces:
        link = copy.data / "pg_tblspc" / str(space.oid)
        link.unlink(missing_ok=True)
        link.symlink_to(copy.tablespace(space.oid))
        copy.owner.take(link)


def forget_map(copy: Scratch) -> None:
    """Remove the map by which a starting server would make links to the source's tablespaces."""
    (copy.data / "tablespace_map").unlink(missing_ok=True)


def fetch_wal(archive: Archive, backup: Backup, copy: Scratch) -> int:
    """Fetch the segments from the backup's start to its seal; return how many.

    PostgreSQL recovers along a timeline after the first only where it finds its history.

    Raises:
        Corrupt: some are missing, cut short or changed; names all of them.

    """
    kept = archive.kept()
    ends = (lsn.parse(backup.start_lsn), lsn.parse(backup.seal.lsn))
    first, last = (lsn.segment_at(backup.timeline, at, backup.segment_bytes) for at in ends)
    copy.make(copy.wal)
    bad: list[Corrupt] = []
    for segment in needed(first, last):
        try:
            _fetch(archive, segment, kept.get(segment), copy)
        except WrongKey:
            raise
        except Corrupt as error:
            bad.append(error)
    if backup.timeline > 1:
        try:
            history = archive.fetch_history(backup.timeline)
            _take(copy, copy.wal / file_name(backup.timeline), history)
        except Corrupt as error:
            bad.append(error)
    if bad:
        raise Corrupt("; ".join(map(str, bad)))
    return last.number - first.number + 1


def _fetch(archive: Archive, segment: Segment, kept: Kept | None, copy: Scratch) -> None:
    if kept is None:
        raise Corrupt(
            "WAL that the backup needs is missing", stanza=archive.stanza, seen=f"no {segment.name}"
        )
    _take(copy, copy.wal / segment.name, archive.fetch(kept))


def _take(copy: Scratch, path: Path, data: bytes) -> None:
    path.write_bytes(data)
    copy.owner.take(path)


def _untar(copy: Scratch, tree: Tree, source: Source, name: str) -> None:
    try:
        with tarfile.open(fileobj=cast("BinaryIO", source), mode="r|", bufsize=COPY_BYTES) as tar:
            for member in tar:
                _place(copy, tree, tar, member)
    except tarfile.TarError:
        raise Corrupt("an object is not a whole tar", seen=name) from None


def _place(copy: Scratch, tree: Tree, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    """Write one member below the root, as PostgreSQL sends them: directories and plain files."""
    path = tree.root / member.name
    if ".." in path.parts or member.name.startswith("/"):
        raise Corrupt("a name leads out of the copy", seen=member.name)
    if member.isdir():
        copy.make(path)
    elif member.isfile():
        content = tar.extractfile(member)
        assert content is not None  # noqa: S101 - it is a file
        old = tree.old / member.name if tree.old else None
        _write(copy, path, cast("Source", content), old)
    elif not member.issym():
        raise Corrupt("a tar holds what a backup does not", seen=member.name)


def _write(copy: Scratch, path: Path, source: Source, old: Path | None = None) -> None:
    path.unlink(missing_ok=True)  # never through a link to what is the old directory's
    old = old if old and old.is_file() and not old.is_symlink() else None
    same, begun = _alike(source, old) if old else (0, b"")
    if old and not begun and old.stat().st_size == same:
        path.hardlink_to(old)
    else:
        with path.open("wb", buffering=0) as file:
            if old and same:
                _copy_start(old, file, same)
            file.write(begun)
            while block := source.read(COPY_BYTES):
                file.write(block)
    path.chmod(0o600)
    copy.owner.take(path)


def _alike(source: Source, old: Path) -> tuple[int, bytes]:
    """Read a source as far as an old file is the same.

    Returns:
        How many bytes are, and the first block that is not; empty: the source has ended.

    """
    same = 0
    with old.open("rb", buffering=0) as known:
        while block := source.read(COPY_BYTES):
            if known.read(len(block)) != block:
                return same, block
            same += len(block)
    return same, b""


def _copy_start(old: Path, file: BinaryIO, size: int) -> None:
    """Copy the first bytes of an old file, which are those that were read already."""
    with old.open("rb", buffering=0) as known:
        while size and (block := known.read(min(size, COPY_BYTES))):
            file.write(block)
            size -= len(block)
