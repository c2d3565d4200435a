"""Which backups to keep: a pure plan, with a reason for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tasks.backup.inventory import SNAPSHOT, UNKNOWN, Inventory
from tasks.backup.policy import Policy, Standing
from tasks.repository.model import Backup, BackupId, Damaged


@dataclass(frozen=True)
class Decision:
    """What becomes of one backup, why, when that would change, and on how many it is built.

    Besides: why a pin keeps it, and until when; who holds it by law, and why.
    """

    backup: BackupId
    keep: bool
    reason: str
    expires_at: datetime | None = None
    depth: int = 0
    pinned: str | None = None
    pinned_until: datetime | None = None
    held: str | None = None


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
    """What a cleanup does: the plan; WAL, leftovers and expired pins to go; the bytes set free."""

    plan: Plan
    wal_segments: int
    leftovers: list[BackupId]
    freed_bytes: int
    is_dry_run: bool
    expired_pins: list[BackupId] = field(default_factory=list)


def plan_retention(
    entries: Sequence[Backup | Damaged],
    standings: Mapping[BackupId, Standing],
    policy: Policy,
    now: datetime,
) -> Plan:
    """Decide over every backup of a stanza.

    Kept are: what is younger than the window; the newest backup older than it, without which the
    window's oldest days could not be restored; the newest `minimum` full ones that count; the
    newest `proven` chains that their last proofs recovered and the newest such snapshot, and of
    both the newest that is proven deepest, however old; what is pinned, held by law, locked by the
    store, in use or in doubt, or cannot be read; and whatever a kept one is built on. Age is told
    by the time at which a backup finished, never by timeline or LSN, which begin anew after an
    upgrade.

    Args:
        entries: every backup of the catalogue.
        standings: what is known of them; one that is absent is unproven, unpinned and idle.
        policy: how long and how many.
        now: the present.

    """
    inventory = Inventory.of(entries, standings)
    damaged = [entry.id for entry in entries if isinstance(entry, Damaged)]
    reasons = _reasons(inventory, policy, now, damaged)
    _add_needed(inventory, reasons)
    going = f"older than {policy.kept_days} days"
    decided = [
        Decision(
            each.id,
            keep=bool(reasons[each.id]),
            reason="; ".join(reasons[each.id]) or going,
            expires_at=each.finished_at + timedelta(days=policy.kept_days),
            depth=len(inventory.ancestors(each)),
        )
        for each in inventory.backups
    ]
    doubt = "its document is damaged: look at it"
    decided += [Decision(name, keep=True, reason=doubt) for name in damaged]
    return Plan([_told(each, standings.get(each.backup, UNKNOWN), now) for each in decided])


def _told(decision: Decision, standing: Standing, now: datetime) -> Decision:
    """Return a decision that also tells of pin and hold; what goes has no time of its own."""
    is_pinned = standing.is_pinned(now)
    return replace(
        decision,
        expires_at=decision.expires_at if decision.keep else None,
        pinned=standing.pin if is_pinned else None,
        pinned_until=standing.pinned_until if is_pinned else None,
        held=standing.held,
    )


def _add_needed(inventory: Inventory, reasons: dict[BackupId, list[str]]) -> None:
    """Add what kept ones are built on, and what shrunken ones that are kept are measured by."""
    for kept in [backup for backup in inventory.backups if reasons[backup.id]]:
        for link in inventory.ancestors(kept):
            reasons[link.id].append(f"{kept.id} is built on it")
    for name, before in inventory.shrunk.items():
        if reasons[name]:
            reasons[before.id].append(f"{name} shrank against it")


def _reasons(
    inventory: Inventory, policy: Policy, now: datetime, damaged: Sequence[BackupId]
) -> dict[BackupId, list[str]]:
    """Return why each backup is kept for itself; nothing where it may go."""
    window = policy.window(now)
    found: dict[BackupId, list[str]] = {
        backup.id: [f"younger than {policy.kept_days} days"] if backup.finished_at >= window else []
        for backup in inventory.backups
    }
    for reason, keepers in _keepers(inventory, policy, now, damaged).items():
        for backup in keepers:
            found[backup.id].append(reason)
    for backup in inventory.backups:
        found[backup.id] += inventory.standing(backup).reasons(now)
    return found


def _keepers(
    inventory: Inventory, policy: Policy, now: datetime, damaged: Sequence[BackupId]
) -> dict[str, Sequence[Backup]]:
    """Return the backups that are kept however old they are, by reason."""
    recovered = [each for each in inventory.snapshots if inventory.recovers(each)]
    return {
        "a damaged backup may be built on it": _doubtful(inventory, damaged),
        **inventory.leads_to(policy.window(now)),
        _recovered(policy.proven): inventory.proven_chains(policy.proven),
        f"the newest {SNAPSHOT} known to recover": recovered[-1:],
        **inventory.deepest(inventory.physical),
        **inventory.deepest(inventory.snapshots),
        f"among the newest {policy.minimum}": inventory.counted()[-policy.minimum :],
    }


def _recovered(number: int) -> str:
    return f"{'the newest one' if number == 1 else f'among the newest {number}'} known to recover"


def _doubtful(inventory: Inventory, damaged: Sequence[BackupId]) -> list[Backup]:
    """Return what a backup that cannot be read may be built on: any, since clocks may lie."""
    stands_alone = ("full-", f"{SNAPSHOT}-")
    is_built = any(not name.startswith(stands_alone) for name in damaged)
    return inventory.physical if is_built else []
