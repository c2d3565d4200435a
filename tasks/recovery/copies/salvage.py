"""Unpack what can be read of an object that is not what was kept, and name what is lost of it."""

import logging
import tarfile
from collections.abc import Sequence
from dataclasses import replace

from tasks.control.errors import Corrupt, OpsError, WrongKey
from tasks.postgres import programs
from tasks.recovery.copies.scratch import Scratch
from tasks.recovery.copies.unpack import NAMING, Blocks, Tree, place, tree_of
from tasks.repository.catalogue import Catalogue
from tasks.repository.model import FINGERPRINT, MANIFEST, Backup, StoredObject
from tasks.repository.stream import Source


log = logging.getLogger(__name__)

PIECE_BYTES = 4096
"""How much is read at once: where it breaks, so much is lost at most besides what is broken."""

TIMEOUT_S = 3600

FORMAT_SINCE = 180000
"""From this version on `pg_verifybackup` guesses the format, unless it is told."""

NAMED = 20
"""How many files that differ are named."""


class Remains:
    """Gives the bytes of a source up to where it breaks, as if it ended there."""

    def __init__(self, source: Source) -> None:
        """Begin at its beginning."""
        self._source = source
        self.bytes = 0
        self.problem: Corrupt | None = None

    def read(self, _size: int, /) -> bytes:
        """Return some bytes; nothing where they end, or cannot be read on.

        Raises:
            WrongKey: no identity here opens it, which says nothing against it.

        """
        if self.problem is not None:
            return b""
        try:
            data = self._source.read(PIECE_BYTES)
        except WrongKey:
            raise
        except Corrupt as error:
            self.problem = error
            return b""
        self.bytes += len(data)
        return data


def salvage(
    catalogue: Catalogue, backup: Backup, item: StoredObject, copy: Scratch, error: Corrupt
) -> str:
    """Unpack an object as far as it can be read; files that are cut short are kept as they are.

    Where a compressed or encrypted stream breaks it cannot be read on. A header of the tar that is
    broken is passed over, and what follows is taken from the next one on.

    Args:
        catalogue: where it lies.
        backup: of which it is.
        item: the object.
        copy: where it is unpacked.
        error: what was found when it was unpacked.

    Returns:
        What was lost, for people.

    """
    said = f"{backup.id}: {str(error).partition('; next: ')[0]}"
    if item.plain_name in (MANIFEST, FINGERPRINT):
        (copy.data / item.plain_name).unlink(missing_ok=True)
        return f"{said}; it is left out"
    tree = replace(tree_of(item, copy), old=None)
    try:
        with catalogue.vault.storage.open(f"{catalogue.prefix(backup.id)}{item.name}") as file:
            source = Source(file, item, catalogue.cipher)
            remains = Remains(source)
            try:
                _untar(copy, tree, remains)
            finally:
                source.close()
    except WrongKey:
        raise
    except Corrupt:
        return f"{said}; all of it is lost"
    return f"{said}; {remains.bytes} of {item.raw_bytes} bytes could be read"


def _untar(copy: Scratch, tree: Tree, remains: Remains) -> None:
    blocks = Blocks(remains)
    while True:
        try:
            header = blocks.exactly(tarfile.BLOCKSIZE)
            member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
            _make_parent(copy, tree, member)
            place(copy, tree, blocks, member)
            blocks.exactly(-member.size % tarfile.BLOCKSIZE)
        except EOFError:
            return
        except WrongKey:
            raise
        except (tarfile.TarError, Corrupt):
            continue


def _make_parent(copy: Scratch, tree: Tree, member: tarfile.TarInfo) -> None:
    """Make the directory of a member, whose own entry may be lost; one that leads out is left."""
    path = tree.root / member.name
    if ".." in path.parts or member.name.startswith("/"):
        return
    try:
        copy.make(path.parent)
    except OSError as error:
        if error.errno not in NAMING:
            raise


def differing(backup: Backup, copy: Scratch) -> list[str]:
    """Name the files of an unpacked backup that are not those of the server's manifest."""
    if not (copy.data / MANIFEST).exists():
        return [f"{backup.id}: without its manifest nobody can tell which files differ"]
    plain = ["--format=plain"] if backup.server_version >= FORMAT_SINCE else []
    try:
        done = programs.run(
            copy.programs,
            "pg_verifybackup",
            [*plain, "--no-parse-wal", copy.data],
            timeout_s=TIMEOUT_S,
            owner=copy.owner,
            accept=(0, 1),
        )
    except OpsError as error:
        return [f"{backup.id}: its files could not be compared with its manifest: {error}"]
    lines = [line.partition("error: ")[2] for line in done.stderr.splitlines()]
    return told(backup, [line for line in lines if line])


def told(backup: Backup, lines: Sequence[str]) -> list[str]:
    """Return what differs, with how much is not named."""
    more = [f"{backup.id}: {len(lines) - NAMED} more files"] if len(lines) > NAMED else []
    return [*(f"{backup.id}: {line}" for line in lines[:NAMED]), *more]
