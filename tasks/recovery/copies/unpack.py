"""From stored objects to a data directory: read, checked and unpacked in one stream each."""

import errno
import logging
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias

from tasks.control.errors import Corrupt, WrongKey
from tasks.postgres import lsn
from tasks.postgres.basebackup import MANIFEST
from tasks.postgres.lsn import Segment
from tasks.recovery.copies.scratch import Scratch
from tasks.repository.catalogue import Catalogue
from tasks.repository.history import file_name
from tasks.repository.model import CONFIGURATION, Backup, StoredObject
from tasks.repository.stream import Source
from tasks.repository.wal import Archive, Kept, needed


log = logging.getLogger(__name__)

COPY_BYTES = 1 << 20

NAMING = frozenset(
    {
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EEXIST,
        errno.ENAMETOOLONG,
        errno.EINVAL,
    }
)
"""Errors of a name that is not what was kept; others are of the disk."""

Piece: TypeAlias = bytes | memoryview


class Readable(Protocol):
    """What bytes are read of."""

    def read(self, size: int, /) -> bytes:
        """Return up to so many bytes; nothing at its end."""


class Blocks:
    """Gives the bytes of a source by number, in pieces that are not copied."""

    def __init__(self, source: Readable) -> None:
        """Begin at its beginning."""
        self._source = source
        self._block = memoryview(b"")

    def pieces(self, count: int) -> Iterator[Piece]:
        """Yield the next bytes, so many.

        Raises:
            EOFError: the source ends before.

        """
        while count:
            if not len(self._block):
                self._block = memoryview(self._source.read(COPY_BYTES))
            piece, self._block = self._block[:count], self._block[count:]
            if not len(piece):
                raise EOFError
            count -= len(piece)
            yield piece

    def exactly(self, count: int) -> bytes:
        """Return the next bytes, so many; raises as `pieces`."""
        return b"".join(self.pieces(count))


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
            _write(copy, copy.data / MANIFEST, iter(lambda: source.read(COPY_BYTES), b""))
            return
        if name == CONFIGURATION:
            _write(copy, copy.path / name, iter(lambda: source.read(COPY_BYTES), b""))
            return
        _untar(copy, tree_of(item, copy), source, item.name)


def tree_of(item: StoredObject, copy: Scratch) -> Tree:
    """Return the directory of a copy that a tar of its backup fills."""
    oid = item.plain_name.removesuffix(".tar")
    if oid == "base":
        return Tree(copy.make(copy.data), copy.old)
    old = copy.old / "pg_tblspc" / oid if copy.old else None
    return Tree(copy.make(copy.tablespace(int(oid))), old)


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
    ends = (lsn.parse(backup.start_lsn), lsn.parse(backup.seal.end_lsn))
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
    """Write what a tar holds; read here, since the library copies every byte several times."""
    blocks = Blocks(source)
    try:
        while any(header := blocks.exactly(tarfile.BLOCKSIZE)):
            member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
            place(copy, tree, blocks, member)
            blocks.exactly(-member.size % tarfile.BLOCKSIZE)
    except (tarfile.TarError, EOFError):
        raise Corrupt("an object is not a whole tar", seen=name) from None


def place(copy: Scratch, tree: Tree, blocks: Blocks, member: tarfile.TarInfo) -> None:
    """Write one member below the root, as PostgreSQL sends them: directories and plain files."""
    path = tree.root / member.name
    if ".." in path.parts or member.name.startswith("/"):
        raise Corrupt("a name leads out of the copy", seen=member.name)
    try:
        if member.isdir():
            copy.make(path)
        elif member.isfile():
            old = tree.old / member.name if tree.old else None
            _write(copy, path, blocks.pieces(member.size), old)
    except OSError as error:
        if error.errno not in NAMING:
            raise
        raise Corrupt("a tar holds a name that leads nowhere", seen=error.strerror) from None
    if not (member.isdir() or member.isfile() or member.issym()):
        raise Corrupt("a tar holds what a backup does not", seen=member.name)


def _write(copy: Scratch, path: Path, pieces: Iterator[Piece], old: Path | None = None) -> None:
    """Write a file, never through a link to what is the old directory's."""
    old = old if old and old.is_file() and not old.is_symlink() else None
    same, begun = _alike(pieces, old) if old else (0, b"")
    path.unlink(missing_ok=True)
    if old and not begun and old.stat().st_size == same:
        path.hardlink_to(old)
        path.chmod(0o600)
        copy.owner.take(path)
        return
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", 0) as file:
        copy.owner.take_open(file.fileno())
        if old and same:
            _copy_start(old, file, same)
        _put(file, begun)
        for piece in pieces:
            _put(file, piece)


def _put(file: BinaryIO, piece: Piece) -> None:
    """Write all of a piece; an unbuffered file may take a part of it."""
    while len(piece):
        piece = piece[file.write(piece) :]


def _alike(pieces: Iterator[Piece], old: Path) -> tuple[int, Piece]:
    """Read pieces as far as an old file is the same.

    Returns:
        How many bytes are, and the first piece that is not; empty: they have ended.

    """
    same = 0
    with old.open("rb", buffering=0) as known:
        for piece in pieces:
            if known.read(len(piece)) != bytes(piece):  # a view would be compared byte by byte
                return same, piece
            same += len(piece)
    return same, b""


def _copy_start(old: Path, file: BinaryIO, size: int) -> None:
    """Copy the first bytes of an old file, which are those that were read already."""
    with old.open("rb", buffering=0) as known:
        while size and (block := known.read(min(size, COPY_BYTES))):
            _put(file, block)
            size -= len(block)
