"""Chains: a full backup and what was taken on top of it, each link held to the one before."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from tasks.control.errors import Corrupt, NotWritable, Refused
from tasks.repository.catalogue import Catalogue
from tasks.repository.model import Backup, BackupId


log = logging.getLogger(__name__)


def chain_to(catalogue: Catalogue, backup: Backup) -> list[Backup]:
    """Return what a backup is restored from: its full backup first, itself last.

    Raises:
        Corrupt: a link is missing or damaged, or another backup stands in its place; names it.

    """
    return links_of(backup, catalogue.get)


@contextmanager
def reading(catalogue: Catalogue, chain: Sequence[Backup]) -> Iterator[None]:
    """Hold all links of a chain against removal while the block runs, where that can be done.

    Raises:
        Refused: one is being removed, or was removed just before.

    """
    with ExitStack() as held:
        for link in chain:
            try:
                held.enter_context(catalogue.reading(link.id))
            except NotWritable as error:
                log.warning("%s is read without keeping a cleanup away from it: %s", link.id, error)
            catalogue.get(link.id)
        yield


def links_of(backup: Backup, find: Callable[[BackupId], Backup]) -> list[Backup]:
    """Return the links of a chain whose backups `find` gives; raises as `chain_to`."""
    links = [backup]
    while (parent := links[0].parent) is not None:
        if parent in {link.id for link in links}:
            raise _broken(links[0], "a chain without a beginning")
        try:
            found = find(parent)
        except (Corrupt, Refused) as error:
            raise _broken(links[0], str(error)) from None
        if found.manifest.sha256 != links[0].parent_manifest:
            raise _broken(links[0], f"another backup stands in the place of {parent}")
        links.insert(0, found)
    if links[0].type not in ("full", "snapshot"):
        raise _broken(links[0], f"{links[0].id} has no parent")
    return links


def _broken(link: Backup, seen: str) -> Corrupt:
    return Corrupt(
        f"the chain of backup {link.id} is broken",
        stanza=link.stanza,
        seen=seen,
        expected=f"its parent {link.parent}, as it was when {link.id} was taken",
        do="hl7ops backup full begins a new chain",
    )
