"""Which backups to keep: a pure plan, with a reason for each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.postgres import lsn
from tasks.repository.catalogue import Damaged
from tasks.repository.model import Backup, BackupId, Verdict


@dataclass(frozen=True)
class Policy:
    """How long and how many: days of the kept window, and backups kept however old."""

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
    """What becomes of one backup, why, and when that would change."""

    backup: BackupId
    keep: bool
    reason: str
    expires_at: datetime | None = None


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
        """The backups to remove, oldest first."""
        return [decision.backup for decision in self.decisions if not decision.keep]


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
    window's oldest days could not be restored; the newest `minimum` ones; the newest proven one,
    however old; what is pinned, in use or in doubt, or cannot be read. Age is told by the time at
    which a backup finished, never by timeline or LSN, which begin anew after an upgrade.

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
    damaged = [entry for entry in entries if isinstance(entry, Damaged)]
    horizon = now - timedelta(days=policy.days)
    keepers = _keepers(backups, standings, policy, horizon)

    def decide(backup: Backup) -> Decision:
        standing = standings.get(backup.id, Standing())
        reasons = [
            *([f"younger than {policy.days} days"] if backup.finished_at >= horizon else []),
            *(reason for reason, ids in keepers.items() if backup.id in ids),
            *([f"pinned: {standing.pin}"] if standing.pin is not None else []),
            *(["in use"] if standing.in_use else []),
            *(["its proof is damaged: look at it"] if standing.is_in_doubt else []),
        ]
        if not reasons:
            return Decision(backup.id, keep=False, reason=f"older than {policy.days} days")
        expires = backup.finished_at + timedelta(days=policy.days)
        return Decision(backup.id, keep=True, reason="; ".join(reasons), expires_at=expires)

    decisions = [decide(backup) for backup in backups]
    decisions += [
        Decision(entry.id, keep=True, reason="its document is damaged: look at it")
        for entry in damaged
    ]
    return Plan(decisions)


def _keepers(
    backups: Sequence[Backup],
    standings: Mapping[BackupId, Standing],
    policy: Policy,
    horizon: datetime,
) -> dict[str, Collection[BackupId]]:
    """Return the backups that are kept however old they are, by reason; `backups` by age."""

    def is_proven(backup: Backup) -> bool:
        return standings.get(backup.id, Standing()).verdict == "proven"

    older = [backup for backup in backups if backup.finished_at < horizon]
    return {
        "the window begins with it": [b.id for b in older[-1:]],
        "the newest proven one from before the window": [b.id for b in older if is_proven(b)][-1:],
        "the newest proven one": [b.id for b in backups if is_proven(b)][-1:],
        f"among the newest {policy.minimum}": [b.id for b in backups[-policy.minimum :]],
    }


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
