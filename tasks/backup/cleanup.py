"""Clean up: remove what the plan lets go, in an order that a crash cannot make harmful."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from tasks.backup.policy import Policy, Standing
from tasks.backup.retention import Cleaned, plan_retention
from tasks.backup.wal_window import Span, spans_needed, unneeded
from tasks.control import clock
from tasks.control.errors import Refused
from tasks.repository.model import DOCUMENT, Backup, BackupId, Damaged
from tasks.repository.pins import DAMAGED_PIN
from tasks.repository.proof import Proof, refuses
from tasks.repository.stanza import S3, Stanza
from tasks.repository.wal import Archive, Kept


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Seen:
    """What a cleanup goes by: the policy, the time, the backups, and the pins that expired."""

    policy: Policy
    now: datetime
    entries: list[Backup | Damaged]
    standings: dict[BackupId, Standing]
    expired: list[BackupId]


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
        seen = _look(stanza, now or clock.now())
        plan = plan_retention(seen.entries, seen.standings, seen.policy, seen.now)
        leftovers = [] if _is_taken(stanza) else catalogue.leftovers()
        going = [*plan.drop, *leftovers]
        freed = sum(size for backup in going for _, size in catalogue.objects(backup))
        if not dry_run:
            _remove_pins(stanza, seen)
            for backup in going:
                _remove(stanza, backup, is_leftover=backup in leftovers)
        with _idle(stanza, seen, dry_run=dry_run) as standings:
            segments = _unneeded(stanza, seen, standings, going if dry_run else [])
            if not dry_run and segments:
                catalogue.reaches.let_go(item.segment for item in segments)
                for item in segments:
                    catalogue.storage.delete(item.object)
        freed += sum(item.stored_bytes for item in segments)
        return Cleaned(plan, len(segments), leftovers, freed, dry_run, seen.expired)


def policy_of(stanza: Stanza) -> Policy:
    """Return the policy that the settings state for the repository that is worked on."""
    known = stanza.settings
    general = Policy(
        known.retention_days,
        known.retention_minimum,
        known.retention_proven,
        known.wal_retention_days,
    )
    if stanza.repository != S3:
        return general
    return Policy(
        known.s3_retention_days or general.days,
        known.s3_retention_minimum or general.minimum,
        known.s3_retention_proven or general.proven,
        known.s3_wal_retention_days or general.wal_days,
    )


def _look(stanza: Stanza, now: datetime) -> _Seen:
    expired = stanza.catalogue.pins.expired(now)
    entries = _entries(stanza, expired)
    return _Seen(policy_of(stanza), now, entries, _standings(stanza, entries), expired)


def _entries(stanza: Stanza, expired: Collection[BackupId]) -> list[Backup | Damaged]:
    """List the backups; one that is gone, and that only an expired pin names, is none any more."""
    catalogue = stanza.catalogue
    named = set(expired) - catalogue.legal.ids()
    return [
        entry
        for entry in catalogue.entries()
        if isinstance(entry, Backup) or entry.id not in named or catalogue.objects(entry.id)
    ]


def _standings(stanza: Stanza, entries: list[Backup | Damaged]) -> dict[BackupId, Standing]:
    catalogue = stanza.catalogue
    pins, held = catalogue.pins.known(), catalogue.legal.reasons()
    proofs = catalogue.last_proofs(entry.id for entry in entries)

    def standing(backup: BackupId) -> Standing:
        proof, pin = proofs[backup], pins.get(backup)
        unread = DAMAGED_PIN if backup in pins else None
        return Standing(
            passed=proof.passed_tiers if isinstance(proof, Proof) else (),
            has_failed_bytes=refuses(proof),
            pin=pin.reason if pin else unread,
            in_use=catalogue.storage.held(f"read-{backup}", stanza=stanza.name),
            is_in_doubt=isinstance(proof, Damaged),
            pinned_until=pin.expires_at if pin else None,
            held=held.get(backup),
            locked_until=catalogue.storage.locked_until(f"{catalogue.prefix(backup)}{DOCUMENT}"),
        )

    return {entry.id: standing(entry.id) for entry in entries}


def _is_taken(stanza: Stanza) -> bool:
    return stanza.catalogue.storage.held("backup", stanza=stanza.name)


def _remove_pins(stanza: Stanza, seen: _Seen) -> None:
    """Remove expired pins, before their backups: one that outlives its own looks like a loss."""
    pins = stanza.catalogue.pins
    for backup in set(seen.expired).intersection(pins.expired(seen.now)):
        try:
            pins.remove(backup)
        except Refused as refused:
            log.warning("the expired pin of backup %s stays: %s", backup, refused)


def _remove(stanza: Stanza, backup: BackupId, *, is_leftover: bool) -> None:
    """Remove one backup, unless somebody reads it, built on it or pinned it meanwhile.

    A leftover may have been a backup that was just being taken; then it is none any more.
    """
    catalogue = stanza.catalogue
    try:
        hold = catalogue.storage.hold
        with hold(f"read-{backup}", shared=False, stanza=stanza.name, last=True):
            if any(each.parent == backup for each in catalogue.backups()):
                log.warning("backup %s was built on meanwhile; it stays", backup)
            elif is_leftover and backup not in catalogue.leftovers():
                log.warning("backup %s was completed meanwhile; it stays", backup)
            elif backup in catalogue.pins.ids():
                log.warning("backup %s was pinned meanwhile; it stays", backup)
            else:
                catalogue.discard(backup)
    except Refused as refused:
        log.warning("backup %s stays; the next cleanup removes it: %s", backup, refused)


@contextmanager
def _idle(stanza: Stanza, seen: _Seen, *, dry_run: bool) -> Iterator[dict[BackupId, Standing]]:
    """Yield how backups stand now, with those held that nobody may begin to read meanwhile.

    From a backup that is older than the window of WAL nobody goes on to what is just removed. Who
    began since the plan was made is seen here: what was to go may have to stay, with its WAL.
    """
    standings, horizon = dict(seen.standings), seen.policy.wal_window(seen.now)
    with ExitStack() as held:
        for entry in [] if dry_run else stanza.catalogue.backups():
            if entry.finished_at >= horizon or entry.id not in standings:
                continue
            name = f"read-{entry.id}"
            try:
                hold = stanza.catalogue.storage.hold(name, shared=False, stanza=stanza.name)
                held.enter_context(hold)
            except Refused:
                standings[entry.id] = replace(standings[entry.id], in_use=True)
        yield standings


def _unneeded(
    stanza: Stanza,
    seen: _Seen,
    standings: Mapping[BackupId, Standing],
    going: Collection[BackupId],
) -> list[Kept]:
    """Return the archived segments that nothing needs, and that the store lets go.

    Nothing while a backup is being taken, since nobody knows yet where its WAL begins; one that
    was completed meanwhile counts. `going` would be removed by now, were it not a dry run.
    """
    if _is_taken(stanza):
        return []
    left = [each for each in _entries(stanza, seen.expired) if each.id not in going]
    entries = list({each.id: each for each in [*seen.entries, *left]}.values())
    kept = {each.id for each in left}
    spans = spans_needed(entries, standings, kept, seen.policy, seen.now)
    found = [
        item for cluster, needed in spans.items() for item in _outside(stanza, cluster, needed)
    ]
    storage = stanza.catalogue.storage
    return [item for item in found if storage.locked_until(item.object) is None]


def _outside(stanza: Stanza, cluster: str, needed: Sequence[Span]) -> list[Kept]:
    """Return the archived segments of a cluster that hold nothing of what is needed."""
    claim = stanza.catalogue.claimed()
    if claim is None:
        return []
    vault = stanza.catalogue.vault
    kept = Archive(vault, stanza.name, cluster, claim.segment_bytes).kept()
    return [kept[segment] for segment in sorted(unneeded(kept, needed))]
