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
from tasks.repository.reach import Reach, Reaches
from tasks.repository.wal import Archive, Kept, intervals, needed


Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class WalCheck:
    """One look at the WAL of a cluster."""

    archive: Archive
    reaches: Reaches
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
            self.found.note(name, "is neither a WAL segment nor a history")
        histories = self._histories({segment.timeline for segment in kept})
        for number, each in enumerate(kept.values(), 1):
            self._segment(each)
            self.found.segments += 1
            self.progress("WAL", number, len(kept))
        for backup in self.backups:
            self._needed(backup, kept)
        reach = self._reach(kept)
        self._gaps(kept, histories, reach)

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
        ends = (lsn.parse(backup.start_lsn), lsn.parse(backup.seal.end_lsn))
        first, last = (lsn.segment_at(backup.timeline, at, backup.segment_bytes) for at in ends)
        missing = [segment.name for segment in needed(first, last) if segment not in there]
        if missing:
            self.found.bad(backup.id, f"WAL that it needs is missing: {', '.join(missing[:5])}")

    def _reach(self, kept: Mapping[Segment, Kept]) -> Reach | None:
        """See that the archive still reaches as far as it did; None: nobody knows how far."""
        try:
            reach = self.reaches.known()
        except Corrupt as error:
            self.found.bad("reach.json", error)
            return None
        if reach is None and kept:
            self.found.bad("reach.json", "is missing, though there is WAL")
        is_needed = any(backup.type != "snapshot" for backup in self.backups)
        if reach is not None and is_needed and reach.last not in kept:
            ends = max(kept).name if kept else "nothing"
            self.found.bad("WAL", f"reached {reach.last.name}, and now ends with {ends}")
        return reach

    def _gaps(
        self,
        kept: Mapping[Segment, Kept],
        histories: Mapping[int, History],
        reach: Reach | None,
    ) -> None:
        """Name what is missing between segments; what is lacking by right is only noted."""
        for interval in intervals(kept, histories):
            if interval.gap is not None:
                by_right = reach is not None and reach.excuses(interval.gap)
                tell = self.found.note if by_right else self.found.bad
                tell(interval.first.name, f"{interval.gap.count} segments are missing before it")
