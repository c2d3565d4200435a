"""Look at archived WAL: what backups need is there, and what is there is what it is called."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from tasks.control.errors import Corrupt, Refused
from tasks.postgres import lsn
from tasks.postgres.lsn import Segment
from tasks.repository import history
from tasks.repository.findings import Inspection
from tasks.repository.history import History
from tasks.repository.model import Backup
from tasks.repository.wal import Archive, Kept, intervals, needed


Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class WalCheck:
    """One look at the WAL of a cluster."""

    archive: Archive
    backups: Sequence[Backup]
    found: Inspection
    quick: bool
    progress: Progress

    def run(self) -> None:
        """Look at names, then at bytes, then at what is missing."""
        try:
            kept = self.archive.kept()
        except Corrupt as error:
            self.found.bad("WAL", error)
            return
        for name in self.archive.strangers():
            self.found.bad(name, "is neither a WAL segment nor a history")
        histories = self._histories({segment.timeline for segment in kept})
        for number, each in enumerate(kept.values(), 1):
            self._segment(each)
            self.found.segments += 1
            self.progress("WAL", number, len(kept))
        for backup in self.backups:
            self._needed(backup, kept)
        self._gaps(kept, histories)

    def _histories(self, timelines: Collection[int]) -> dict[int, History]:
        """Read the histories of the timelines; each but the first has one."""
        try:
            histories = self.archive.histories()
        except Corrupt as error:
            self.found.bad("timeline history", error)
            return {}
        except Refused as error:
            self.found.note("timeline history", str(error))
            return {}
        for timeline in sorted(set(timelines) - histories.keys() - {1}):
            self.found.bad(history.file_name(timeline), "the history of a timeline is missing")
        return histories

    def _segment(self, kept: Kept) -> None:
        """Read a segment back, where that is wanted and can be done."""
        if self.quick:
            return
        if kept.object.endswith(".age") and not self.archive.vault.cipher.can_read:
            self.found.note(kept.segment.name, "is encrypted, and was not looked into here")
            return
        try:
            self.archive.fetch(kept)
        except (Corrupt, Refused) as error:
            self.found.bad(kept.segment.name, error)

    def _needed(self, backup: Backup, there: Collection[Segment]) -> None:
        """See that every segment from a backup's start to its seal is there."""
        if backup.type == "snapshot":
            return
        ends = (lsn.parse(backup.start_lsn), lsn.parse(backup.seal.lsn))
        first, last = (lsn.segment_at(backup.timeline, at, backup.segment_bytes) for at in ends)
        missing = [segment.name for segment in needed(first, last) if segment not in there]
        if missing:
            self.found.bad(backup.id, f"WAL that it needs is missing: {', '.join(missing[:5])}")

    def _gaps(self, kept: Mapping[Segment, Kept], histories: Mapping[int, History]) -> None:
        """Name what is missing between segments, but where a backup began anew after a gap."""
        begins = {
            lsn.segment_at(each.timeline, lsn.parse(each.start_lsn), each.segment_bytes)
            for each in self.backups
            if each.type != "snapshot"
        }
        for interval in intervals(kept, histories):
            if interval.gap is not None:
                tell = self.found.note if interval.first in begins else self.found.bad
                tell(interval.first.name, f"{interval.gap.count} segments are missing before it")
