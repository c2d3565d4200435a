"""What would be loaded of a snapshot, found out before anything is touched."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.control.errors import Refused
from tasks.recovery.copies import load
from tasks.recovery.planning import doubts
from tasks.recovery.planning.plan import Needs
from tasks.recovery.planning.target import Target
from tasks.recovery.snapshots import selection as selections
from tasks.recovery.snapshots.selection import Selection
from tasks.repository.model import Backup, StoredObject, Tablespace
from tasks.repository.proof import refuses
from tasks.repository.seal import Fingerprint
from tasks.repository.stanza import Stanza


LARGER = 8
"""By so much a database may be larger than its dump."""

GLOBALS = ("roles.sql", "tablespaces.sql")


@dataclass(frozen=True)
class Wanted:
    """What of a snapshot is loaded, what was sealed of it, and what that takes.

    `accepted` lets a copy that differs from its seal be put in place, with what differs told.
    """

    backup: Backup
    selection: Selection
    sealed: Fingerprint
    needs: Needs
    accepted: bool = False
    warnings: Sequence[str] = ()

    @property
    def databases(self) -> list[str]:
        """The databases that something is loaded of."""
        return self.selection.among(dump.database for dump in self.backup.dumps)

    @property
    def objects(self) -> list[StoredObject]:
        """What is read of the repository."""
        names = {dump.object for dump in self.backup.dumps if dump.database in self.databases}
        return [each for each in self.backup.objects if each.plain_name in {*names, *GLOBALS}]

    @property
    def fetched_bytes(self) -> int:
        """How much that is."""
        return sum(each.stored_bytes for each in self.objects)


def snapshot_of(stanza: Stanza, target: Target) -> Backup | None:
    """Return the snapshot that a target names, which is loaded; None: something is recovered.

    Raises:
        Refused: there is no such backup.

    """
    if target.kind != "backup":
        return None
    backup = stanza.catalogue.get(target.value)
    return backup if backup.type == "snapshot" else None


def find(stanza: Stanza, wanted_id: str) -> Backup:
    """Return a snapshot.

    Raises:
        Refused: there is no such backup, or it is none.

    """
    backup = stanza.catalogue.get(wanted_id)
    if backup.type != "snapshot":
        raise Refused(
            "that is no snapshot",
            stanza=stanza.name,
            seen=backup.id,
            do="hl7ops restore recovers it; hl7ops database restore, one database of it",
        )
    return backup


def wanted(
    stanza: Stanza, backup: Backup, selection: Selection, *, accepted: bool = False
) -> Wanted:
    """See what would be loaded of a snapshot; nothing is touched.

    Raises:
        Refused: it does not hold what is wanted, or is of a newer server than this machine's.
        Corrupt: what tells it is not what was kept.

    """
    catalogue = stanza.catalogue
    stanza.with_programs_of(backup)
    last = catalogue.last_proof(backup.id)
    if refuses(last) and not accepted:
        raise Refused(
            "the bytes of this snapshot failed its last proof",
            stanza=backup.stanza,
            seen=f"{backup.id}: {doubts.failure(last)}",
            do="choose another one; --accept-differences loads it all the same",
        )
    sealed = catalogue.fingerprint(backup)
    dumped = [dump.database for dump in backup.dumps]
    selections.see_that_it_is_there(selection, dumped, sealed)
    script = catalogue.vault.read(catalogue.prefix(backup.id), backup.object("tablespaces.sql"))
    spaces = enumerate(load.locations(script.decode()), 1)
    chosen = selection.among(dumped)
    large = sum(backup.object(d.object).raw_bytes for d in backup.dumps if d.database in chosen)
    needs = Needs([Tablespace(number, place) for number, place in spaces], LARGER * large)
    return Wanted(backup, selection, sealed, needs, accepted, doubts.doubts(backup, last))
