"""The dumps of a snapshot as files."""

from pathlib import Path

from tasks.repository.catalogue import Catalogue
from tasks.repository.model import Backup, StoredObject
from tasks.repository.stream import CHUNK_BYTES


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
