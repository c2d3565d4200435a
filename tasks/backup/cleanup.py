"""Clean up: remove what the plan lets go, in an order that a crash cannot make harmful."""

import logging
from datetime import datetime

from tasks.backup.retention import Cleaned, Policy, Standing, plan_retention, wal_floor
from tasks.control import clock
from tasks.control.errors import Refused
from tasks.repository.catalogue import Damaged
from tasks.repository.model import Backup, BackupId
from tasks.repository.proof import Proof
from tasks.repository.stanza import S3, Stanza
from tasks.repository.wal import Archive, Kept


log = logging.getLogger(__name__)


def cleanup(stanza: Stanza, *, dry_run: bool = False, now: datetime | None = None) -> Cleaned:
    """Remove expired backups, WAL that none of the kept ones needs, and leftovers of killed runs.

    A backup leaves the catalogue before its data goes, and WAL goes last, so that whatever stands
    in the catalogue can be restored at every instant.

    Args:
        stanza: whose.
        dry_run: say what would be done, and change nothing.
        now: the present.

    Raises:
        Refused: another cleanup of the stanza is running.

    """
    catalogue = stanza.catalogue
    with catalogue.storage.hold("cleanup", shared=False, stanza=stanza.name):
        entries = catalogue.entries()
        plan = plan_retention(entries, _standings(stanza), policy_of(stanza), now or clock.now())
        leftovers = _abandoned(stanza)
        going = [*plan.drop, *leftovers]
        freed = sum(size for backup in going for _, size in catalogue.objects(backup))
        if dry_run:
            kept = set(plan.keep)
        else:
            for backup in going:
                _remove(stanza, backup)
            kept = {entry.id for entry in catalogue.entries()}
        segments = _unneeded(stanza, wal_floor(entries, kept))
        if not dry_run:
            for item in segments:
                catalogue.storage.delete(item.object)
        freed += sum(item.stored_bytes for item in segments)
        return Cleaned(plan, len(segments), leftovers, freed, dry_run)


def policy_of(stanza: Stanza) -> Policy:
    """Return the policy that the settings state for the repository that is worked on."""
    known = stanza.settings
    days, minimum = known.retention_days, known.retention_minimum
    if stanza.repository == S3:
        days, minimum = known.s3_retention_days or days, known.s3_retention_minimum or minimum
    return Policy(days, minimum)


def _standings(stanza: Stanza) -> dict[BackupId, Standing]:
    catalogue = stanza.catalogue
    pins = catalogue.pins.reasons()

    def standing(backup: Backup) -> Standing:
        proof = catalogue.last_proof(backup.id)
        return Standing(
            verdict=proof.verdict if isinstance(proof, Proof) else None,
            pin=pins.get(backup.id),
            in_use=catalogue.storage.held(f"read-{backup.id}", stanza=stanza.name),
            is_in_doubt=isinstance(proof, Damaged),
        )

    return {backup.id: standing(backup) for backup in catalogue.backups()}


def _abandoned(stanza: Stanza) -> list[BackupId]:
    """Return what interrupted runs left; nothing while a backup is being taken."""
    is_taken = stanza.catalogue.storage.held("backup", stanza=stanza.name)
    return [] if is_taken else stanza.catalogue.leftovers()


def _remove(stanza: Stanza, backup: BackupId) -> None:
    """Remove one backup, unless somebody has begun to read it, or has built on it meanwhile."""
    catalogue = stanza.catalogue
    try:
        hold = catalogue.storage.hold
        with hold(f"read-{backup}", shared=False, stanza=stanza.name, last=True):
            if any(each.parent == backup for each in catalogue.backups()):
                log.warning("backup %s was built on meanwhile; it stays", backup)
                return
            catalogue.discard(backup)
    except Refused:
        log.warning("backup %s is in use; the next cleanup removes it", backup)


def _unneeded(stanza: Stanza, floors: dict[str, int | None]) -> list[Kept]:
    """Return the archived segments that lie before the floor of their cluster."""
    claim = stanza.catalogue.claimed()
    found: list[Kept] = []
    if claim is None:
        return found
    for identifier, floor in floors.items():
        archive = Archive(stanza.catalogue.vault, stanza.name, identifier, claim.segment_bytes)
        kept = archive.kept().values()
        found += [item for item in kept if floor is None or item.segment.end <= floor]
    return found
