"""Which backups to keep: a pure plan, with a reason for each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.postgres import lsn
from tasks.repository.catalogue import Damaged
from tasks.repository.model import Backup, BackupId
from tasks.repository.proof import Verdict


@dataclass(frozen=True)
class Policy:
    """How long and how many: days of the kept window, and full backups kept however old."""

    days: int
    minimum: int


@dataclass(frozen=True)
class Standing:
    """What is known of one backup besides its own document; in doubt: its last proof is damaged."""

    verdict: Verdict | None = None
    pin: str | None = None
    in_use: bool = False
    is_in_doubt: bool = False


@dataclass(frozen=True)
class Decision:
    """What becomes of one backup, why, when that would change, and on how many it is built."""

    backup: BackupId
    keep: bool
    reason: str
    expires_at: datetime | None = None
    depth: int = 0


@dataclass(frozen=True)
class Plan:
    """What becomes of every backup."""

    decisions: list[Decision]

    @property
    def keep(self) -> list[BackupId]:
        """The backups to keep."""
        return [decision.backup for decision in self.decisions if decision.keep]

    @property
    def drop(self) -> list[BackupId]:
        """The backups to remove, oldest first, but none before what is built on it."""
        going = [decision for decision in self.decisions if not decision.keep]
        return [each.backup for each in sorted(going, key=lambda each: -each.depth)]


@dataclass(frozen=True)
class Cleaned:
    """What a cleanup does: the plan, the WAL and the leftovers to go, and the bytes set free."""

    plan: Plan
    wal_segments: int
    leftovers: list[BackupId]
    freed_bytes: int
    is_dry_run: bool


def plan_retention(
    entries: Sequence[Backup | Damaged],
    standings: Mapping[BackupId, Standing],
    policy: Policy,
    now: datetime,
) -> Plan:
    """Decide over every backup of a stanza.

    Kept are: what is younger than the window; the newest backup older than it, without which the
    window's oldest days could not be restored; the newest `minimum` full ones; the newest proven
    one, however old; what is pinned, in use or in doubt, or cannot be read; and whatever a kept one
    is built on. Age is told by the time at which a backup finished, never by timeline or LSN, which
    begin anew after an upgrade.

    Args:
        entries: every backup of the catalogue.
        standings: what is known of them; one that is absent is unproven, unpinned and idle.
        policy: how long and how many.
        now: the present.

    """
    backups = sorted(
        (entry for entry in entries if isinstance(entry, Backup)),
        key=lambda backup: (backup.finished_at, backup.id),
    )
    damaged = [entry.id for entry in entries if isinstance(entry, Damaged)]
    ancestors = {backup.id: _ancestors(backup, backups) for backup in backups}
    reasons = _reasons(backups, standings, policy, now - timedelta(days=policy.days), damaged)
    for kept in [name for name, why in reasons.items() if why]:
        for name in ancestors[kept]:
            reasons[name].append(f"{kept} is built on it")

    def decide(backup: Backup) -> Decision:
        why = "; ".join(reasons[backup.id])
        return Decision(
            backup.id,
            keep=bool(why),
            reason=why or f"older than {policy.days} days",
            expires_at=backup.finished_at + timedelta(days=policy.days) if why else None,
            depth=len(ancestors[backup.id]),
        )

    doubt = "its document is damaged: look at it"
    return Plan(
        [decide(backup) for backup in backups]
        + [Decision(name, keep=True, reason=doubt) for name in damaged]
    )


def _reasons(
    backups: Sequence[Backup],
    standings: Mapping[BackupId, Standing],
    policy: Policy,
    horizon: datetime,
    damaged: Collection[BackupId],
) -> dict[BackupId, list[str]]:
    """Return why each backup is kept for itself; nothing where it may go."""
    keepers = _keepers(backups, standings, policy, horizon, damaged)
    return {
        backup.id: [
            *([f"younger than {policy.days} days"] if backup.finished_at >= horizon else []),
            *(reason for reason, ids in keepers.items() if backup.id in ids),
            *_own_reasons(standings.get(backup.id, Standing())),
        ]
        for backup in backups
    }


def _ancestors(backup: Backup, backups: Sequence[Backup]) -> list[BackupId]:
    """Return what a backup is built on, as far as it is there, the nearest first."""
    known = {each.id: each for each in backups}
    found: list[BackupId] = []
    at: Backup | None = backup
    while at is not None and at.parent in known and at.parent not in found:
        found.append(known[at.parent].id)
        at = known[at.parent]
    return found


def _own_reasons(standing: Standing) -> list[str]:
    return [
        *([f"pinned: {standing.pin}"] if standing.pin is not None else []),
        *(["in use"] if standing.in_use else []),
        *(["its proof is damaged: look at it"] if standing.is_in_doubt else []),
    ]


def _keepers(
    backups: Sequence[Backup],
    standings: Mapping[BackupId, Standing],
    policy: Policy,
    horizon: datetime,
    damaged: Collection[BackupId],
) -> dict[str, Collection[BackupId]]:
    """Return the backups that are kept however old they are, by reason; `backups` by age."""

    def is_proven(backup: Backup) -> bool:
        return standings.get(backup.id, Standing()).verdict == "proven"

    older = [backup for backup in backups if backup.finished_at < horizon]
    full = [backup for backup in backups if backup.type == "full"]
    doubtful = max((d for d in damaged if not d.startswith("full-")), key=_stamp, default="")
    return {
        "a damaged backup may be built on it": [
            b.id for b in backups if _stamp(b.id) < _stamp(doubtful)
        ],
        "the window begins with it": [b.id for b in older[-1:]],
        "the newest proven one from before the window": [b.id for b in older if is_proven(b)][-1:],
        "the newest proven one": [b.id for b in backups if is_proven(b)][-1:],
        f"among the newest {policy.minimum}": [b.id for b in full[-policy.minimum :]],
    }


def _stamp(backup: str) -> str:
    return backup.rpartition("-")[2]


def wal_floor(
    entries: Sequence[Backup | Damaged], kept: Collection[BackupId]
) -> dict[str, int | None]:
    """Return the position before which WAL is not needed, in bytes, by system identifier.

    It is the lowest start of a kept backup; None where no backup of that cluster is kept. A cluster
    that is not named keeps all of its WAL, and so do all clusters while a document is damaged,
    since nobody knows what that backup needs.
    """
    if any(isinstance(entry, Damaged) for entry in entries):
        return {}
    backups = [entry for entry in entries if isinstance(entry, Backup)]
    floors: dict[str, int | None] = {}
    for identifier in {backup.system_identifier for backup in backups}:
        starts = [
            lsn.parse(backup.start_lsn)
            for backup in backups
            if backup.system_identifier == identifier and backup.id in kept
        ]
        floors[identifier] = min(starts, default=None)
    return floors
