"""Whom a repository belongs to: the cluster, and the key that signs for it."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import ConfigDict

from tasks.control import clock
from tasks.control.errors import Corrupt, Refused
from tasks.repository.documents import Documents
from tasks.repository.model import DOCUMENT, FORMAT, Backup


log = logging.getLogger(__name__)

F = TypeVar("F")

_missed: set[str] = set()
"""Documents of which it was told that they are missing, which is done once."""


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
    """Return whom a repository belongs to, or None where it is empty; its key is met then.

    Where the document of it is lost or damaged, the newest backup that can be believed tells it.

    Raises:
        Corrupt: the document is damaged, and there is no such backup.

    """
    return _looked(documents)[0]


def _looked(documents: Documents) -> tuple[Claim | None, bool]:
    """Return whom a repository belongs to, and whether its document itself says so."""
    try:
        known, problem = stored(documents), None
    except Corrupt as error:
        known, problem = None, error
    found = known or _told_by_backups(documents)
    if found is None and problem is not None:
        raise problem
    if found is not known and _name(documents) not in _missed:
        _missed.add(_name(documents))
        log.warning(
            "%s is %s: a backup tells whom the repository belongs to; the next one writes it anew",
            _name(documents),
            "damaged" if problem else "missing",
        )
    return found, known is not None


def stored(documents: Documents) -> Claim | None:
    """Return what the document itself says; None: there is none."""
    name = _name(documents)
    if not documents.storage.exists(name):
        return None
    return _met(documents, Claim, name)


def _told_by_backups(documents: Documents) -> Claim | None:
    """Return what the newest backup says whose document can be believed."""
    found = documents.storage.objects(f"{documents.stanza}/backups/")
    names = [item.name for item in found if item.name.endswith(f"/{DOCUMENT}")]
    for name in sorted(names, key=lambda each: each.split("/")[-2].rpartition("-")[2])[::-1]:
        with suppress(Corrupt, Refused):
            backup = _met(documents, Backup, name)
            return Claim(
                documents.stanza,
                backup.system_identifier,
                backup.segment_bytes,
                backup.started_at,
            )
    return None


def _met(documents: Documents, kind: type[F], name: str) -> F:
    data = documents.storage.get(name)
    documents.keyring.meet(documents.stanza, data)
    return documents.parsed(kind, name, data)


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
    known, is_stored = _looked(documents)
    if known is None:
        before_first()
        known = Claim(documents.stanza, system_identifier, segment_bytes, clock.now())
        documents.put(_name(documents), known)
    elif known.system_identifier == system_identifier and not is_stored:
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
