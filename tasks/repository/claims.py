"""Whom a repository belongs to: the cluster, and the key that signs for it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pydantic import ConfigDict

from tasks.control import clock
from tasks.control.errors import Refused
from tasks.repository.documents import Documents
from tasks.repository.model import FORMAT


@dataclass(frozen=True)
class Claim:
    """Whom the repository belongs to."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    stanza: str
    system_identifier: str
    segment_bytes: int
    created_at: datetime
    format: int = FORMAT


def claimed(documents: Documents) -> Claim | None:
    """Return whom a repository belongs to, or None where it is empty; its key is met then."""
    name = _name(documents)
    if not documents.storage.exists(name):
        return None
    data = documents.storage.get(name)
    documents.keyring.meet(documents.stanza, data)
    return documents.parsed(Claim, name, data)


def claim(
    documents: Documents,
    system_identifier: str,
    segment_bytes: int,
    before_first: Callable[[], None],
) -> Claim:
    """Return whom the repository belongs to, written on first use, unless `before_first` raises.

    Raises:
        Refused: the repository belongs to another cluster.

    """
    known = claimed(documents)
    if known is None:
        before_first()
        known = Claim(documents.stanza, system_identifier, segment_bytes, clock.now())
        documents.put(_name(documents), known)
    if known.system_identifier != system_identifier:
        raise Refused(
            "the repository belongs to another cluster",
            stanza=documents.stanza,
            seen=f"system identifier {system_identifier}",
            expected=known.system_identifier,
            do="use another stanza or BACKUP_DIR for this cluster",
        )
    return known


def _name(documents: Documents) -> str:
    return f"{documents.stanza}/stanza.json"
