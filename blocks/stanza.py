"""From the blocks of a stanza to the stanza that steps work on."""

from typing import Any

from prefect.blocks.core import Block

from blocks.cluster import PostgresCluster
from blocks.repository import BackupRepository
from tasks.control import settings
from tasks.control.errors import sheltered
from tasks.repository.stanza import Stanza, open_stanza


def load_stanza(name: str, repository: str | None = None) -> Stanza:
    """Open a stanza with what its blocks say now; a block that is missing says nothing.

    Args:
        name: the stanza's, and that of its blocks.
        repository: which of its repositories is worked on; the one that takes the backups.

    Raises:
        Refused: the settings do not hold.

    """
    known: dict[str, Any] = {"hl7ops_stanza": name}
    with sheltered():
        for kind in (PostgresCluster, BackupRepository):
            known |= _fields(kind, name)
        stanza = open_stanza(settings.load(**known))
        return stanza.at(repository) if repository else stanza


def _fields(kind: type[Block], name: str) -> dict[str, Any]:
    """Return the fields that a block sets."""
    try:
        block = kind.load(name)
    except ValueError:
        return {}
    values = {field: getattr(block, field) for field in kind.model_fields}
    return {field: value for field, value in values.items() if value not in (None, "", [])}
