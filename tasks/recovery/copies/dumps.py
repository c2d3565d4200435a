"""The dumps of a snapshot as files: fetched, and asked what they hold."""

from pathlib import Path

from tasks.control.errors import Corrupt
from tasks.postgres import programs
from tasks.repository.catalogue import Catalogue
from tasks.repository.model import Backup, StoredObject
from tasks.repository.stream import CHUNK_BYTES


LIST_TIMEOUT_S = 600


def fetch(catalogue: Catalogue, backup: Backup, item: StoredObject, folder: Path) -> None:
    """Write an object of a snapshot to a file of its plain name, which only we can read.

    Raises:
        Corrupt: it is missing, cut short or changed; names it.

    """
    path = folder / item.plain_name
    path.touch(mode=0o600)
    with (
        catalogue.vault.reading(catalogue.prefix(backup.id), item) as source,
        path.open("wb", buffering=0) as file,
    ):
        while block := source.read(CHUNK_BYTES):
            file.write(block)


def listed(tools: Path, dump: Path, *how: str) -> str:
    """Return the list of what a dump holds.

    Raises:
        Corrupt: it cannot be read.

    """
    done = programs.run(
        tools,
        "pg_restore",
        ["--list", *how, dump],
        timeout_s=LIST_TIMEOUT_S,
        accept=(0, 1),
    )
    if done.returncode != 0:
        raise Corrupt("a dump cannot be read", seen=f"{dump.name}: not whole")
    return done.stdout
