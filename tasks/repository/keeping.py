"""Keep backups from removal: in every repository that has a copy, and until somebody ends it."""

from tasks.control.errors import Refused
from tasks.repository.catalogue import Catalogue
from tasks.repository.legal import LegalHold, Release
from tasks.repository.model import DOCUMENT, ID, BackupId
from tasks.repository.pins import Pin
from tasks.repository.stanza import Stanza


def named(stanza: Stanza, wanted: str) -> BackupId:
    """Return the id of a backup by what a person calls it: that id, or `latest`.

    Raises:
        Refused: there is no backup, or that is no id of one.

    """
    if wanted == "latest":
        return stanza.catalogue.get(wanted).id
    if not ID.match(wanted):
        raise Refused(
            "that is no id of a backup",
            stanza=stanza.name,
            seen=wanted,
            expected="one such as full-20261124T020000Z, or latest",
            do="hl7ops backups",
        )
    return BackupId(wanted)


def pin(stanza: Stanza, made: Pin) -> None:
    """Keep a backup from retention, in the place of an earlier pin.

    Raises:
        Refused: no repository has it.

    """
    for catalogue in _having(stanza, made.backup):
        catalogue.pin(made)


def unpin(stanza: Stanza, backup: BackupId) -> None:
    """Let retention decide over a backup again.

    Raises:
        Refused: it is not pinned; or it is not pinned, but under legal hold.

    """
    every = list(stanza.repositories.values())
    pinned = [catalogue for catalogue in every if backup in catalogue.pins.ids()]
    for catalogue in [] if pinned else every:
        catalogue.legal.see_free(backup)
    for catalogue in pinned or every[:1]:
        catalogue.pins.remove(backup)


def hold(stanza: Stanza, made: LegalHold) -> None:
    """Put a backup under legal hold; one that was held in some of its copies is in all of them.

    Raises:
        Refused: no repository has it, or it is held already.

    """
    having = _having(stanza, made.backup)
    free = [catalogue for catalogue in having if made.backup not in catalogue.legal.ids()]
    for catalogue in free or having:
        catalogue.pin(made)


def release(stanza: Stanza, backup: BackupId, reason: str, by: str) -> list[Release]:
    """End a legal hold and return the records of it, one a repository.

    Raises:
        Refused: it is not held.

    """
    every = list(stanza.repositories.values())
    held = [catalogue for catalogue in every if backup in catalogue.legal.ids()]
    return [catalogue.legal.release(backup, reason, by) for catalogue in held or every[:1]]


def _having(stanza: Stanza, backup: BackupId) -> list[Catalogue]:
    """Return the repositories that have a backup, or the one that says why it has it not."""
    every = list(stanza.repositories.values())
    name = [each for each in every if each.storage.exists(f"{each.prefix(backup)}{DOCUMENT}")]
    return name or every[:1]
