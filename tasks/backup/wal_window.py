"""Which archived WAL is needed: ranges of positions by cluster, whatever the timeline."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks.backup.inventory import Inventory, end_of, start_of
from tasks.backup.policy import Policy, Standing
from tasks.postgres.lsn import Segment
from tasks.repository.model import Backup, BackupId, Damaged


@dataclass(frozen=True)
class Span:
    """WAL from one position in bytes to another, both included; None: without an end."""

    start: int
    end: int | None = None

    def touches(self, segment: Segment) -> bool:
        """Tell whether a segment holds some of it; segments of every timeline may."""
        return segment.end > self.start and (self.end is None or segment.start <= self.end)


def spans_needed(
    entries: Sequence[Backup | Damaged],
    standings: Mapping[BackupId, Standing],
    kept: Collection[BackupId],
    policy: Policy,
    now: datetime,
) -> dict[str, list[Span]]:
    """Return what WAL is needed, by system identifier.

    Each kept backup needs its own, from its start to its seal. Those from which the points of the
    WAL window are reached, those that finished in it and those that are being read need all of it
    from their start on; the first of these from the start of their chain. Snapshots need none.

    A cluster that is not named keeps all of its WAL, and so do all clusters while a document is
    damaged, since nobody knows what that backup needs.

    Args:
        entries: every backup of the catalogue, before anything was removed.
        standings: what is known of them.
        kept: those that stay.
        policy: how long and how many.
        now: the present.

    """
    if any(isinstance(entry, Damaged) for entry in entries):
        return {}
    staying = Inventory.of([entry for entry in entries if entry.id in kept], standings)
    opening = _opening(staying, policy.wal_window(now))
    needed: dict[str, list[Span]] = {
        each.system_identifier: [] for each in Inventory.of(entries, standings).physical
    }
    for backup in staying.physical:
        own = Span(start_of(backup), None if backup.id in opening else end_of(backup))
        needed[backup.system_identifier].append(own)
    return needed


def unneeded(segments: Iterable[Segment], spans: Sequence[Span]) -> set[Segment]:
    """Return the segments that hold nothing of any span."""
    return {each for each in segments if not any(span.touches(each) for span in spans)}


def _opening(staying: Inventory, horizon: datetime) -> set[BackupId]:
    """Return the backups from whose start on all WAL is needed."""
    leading = [each for found in staying.leads_to(horizon).values() for each in found]
    return {
        *(link.id for each in leading for link in staying.chain(each)),
        *(each.id for each in staying.physical if each.finished_at >= horizon),
        *(each.id for each in staying.physical if staying.standing(each).in_use),
    }
