"""Look at what the repository holds, and plan a recovery from it; nothing is touched."""

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from tasks.control.errors import Refused
from tasks.postgres.lsn import Segment
from tasks.recovery.copies.scratch import scratch
from tasks.recovery.planning import gap, locate
from tasks.recovery.planning.bases import Bases
from tasks.recovery.planning.locate import Stop
from tasks.recovery.planning.plan import Base, Plan, Window
from tasks.recovery.planning.scroll import Scroll
from tasks.recovery.planning.target import Target
from tasks.recovery.planning.way import Way, along
from tasks.repository import partial
from tasks.repository.catalogue import Catalogue
from tasks.repository.model import Backup, BackupId
from tasks.repository.stanza import Stanza
from tasks.repository.wal import Archive, Kept


READ_BYTES = 128 << 20
"""What a survey lays on the disk: a few segments."""


@dataclass(frozen=True)
class Survey:
    """What a repository holds of one cluster."""

    catalogue: Catalogue
    archive: Archive
    kept: Mapping[Segment, Kept]
    backups: Mapping[BackupId, Backup]

    def plan(
        self, target: Target, scroll: Scroll, named: str | None, *, is_accepting: bool = False
    ) -> Plan:
        """Find where the target is, and decide how to get there.

        Args:
            target: where it is to end.
            scroll: the WAL that leads there.
            named: the backup to begin with; None: the newest sound one that leads there.
            is_accepting: accept bytes that failed, or are missing, where there are no others.

        Raises:
            Refused: it cannot be reached; names the nearest valid bounds.

        """
        window, accepted = self.window(scroll), []
        try:
            stop, named = self._stop(target, scroll, named, window)
        except Refused as refused:
            if not is_accepting:
                raise
            stop, named = gap.wanted(target, scroll, self.backups, named, refused)
        try:
            base, passed_over = self._bases.chosen(
                target, stop, window, named, is_accepting=is_accepting
            )
        except Refused:
            short = self._bases.nearest(stop, window, named) if is_accepting else None
            if short is None:
                raise
            base, passed_over, stop = short, [], gap.last_before(scroll, short)
            accepted.append(gap.told(scroll, base))
        accepted += [f"{base.backup.id}: {base.failed}"] if base.failed else []
        made = self._planned(target, stop, base, scroll, passed_over)
        return replace(
            made,
            warnings=[
                *base.doubts,
                *self._bases.alternative(target, base, window, stop, named),
                *(gap.lost_end(self.catalogue, scroll) if target.kind == "latest" else []),
            ],
            is_accepting=is_accepting,
            accepted=accepted,
            others=self._bases.others(target, base, window, stop),
        )

    @property
    def _bases(self) -> Bases:
        return Bases(self.catalogue, self.backups)

    def window(self, scroll: Scroll) -> Window:
        """Return what can be recovered along a way."""
        return Window(self.archive.stanza, scroll.way, self._bases.listed(), locate.newest(scroll))

    def _stop(
        self, target: Target, scroll: Scroll, named: str | None, window: Window
    ) -> tuple[Stop | None, str | None]:
        """Return where recovery ends, and the backup that the target itself names."""
        if target.kind == "immediate":
            return None, named
        if target.kind != "backup":
            try:
                return locate.locate(target, scroll), named
            except Refused as error:
                raise Refused(str(error), expected=window.told, do="choose a point of it") from None
        backup = self.catalogue.get(target.value)
        if backup.type == "snapshot":
            raise Refused(
                "a snapshot is loaded, not recovered",
                stanza=backup.stanza,
                seen=backup.id,
                expected="a full, differential or incremental backup",
                do=f"hl7ops snapshot restore {backup.id}",
            )
        if not backup.is_sealed and named not in (None, backup.id):
            raise Refused(
                "a backup without a restore point is reached from itself alone",
                stanza=backup.stanza,
                seen=f"{backup.id}, and --backup {named}",
                do="leave --backup out, or name a point in time",
            )
        return locate.seal_of(scroll, backup) if backup.is_sealed else None, named or backup.id

    def _planned(
        self,
        target: Target,
        stop: Stop | None,
        base: Base,
        scroll: Scroll,
        passed_over: list[str],
    ) -> Plan:
        way, backup = scroll.way, base.backup
        stop = _early(stop, base, scroll) if stop else None
        end = stop.end if stop else base.stop
        first, last = way.at(base.start), way.at(end - 1) + 1
        segments = [way.segment(n) for n in range(first, last + 1) if n in way.numbers]
        kept = [self.kept[each].stored_bytes for each in segments if each in self.kept]
        unpacked = sum(link.bytes_source for link in base.chain)
        before = replace(stop, inclusive=False) if stop else None
        return Plan(
            target=target,
            stop=stop,
            chain=base.chain,
            way=way,
            segments=segments,
            last=locate.last_transaction(scroll, stop, first) if stop else None,
            witness=locate.last_transaction(scroll, before, first) if before else None,
            passed_over=passed_over,
            fetched_bytes=sum(link.bytes_stored for link in base.chain) + sum(kept),
            needed_bytes=unpacked * min(len(base.chain), 2) + 16 * way.size,
            copy_seconds=self._bases.seconds(backup),
        )


def _early(stop: Stop, base: Base, scroll: Scroll) -> Stop:
    """End right after the last transaction before a stop, where recovery would end just before one.

    What that one had changed so far would be locked in the copy, although it never ended there: a
    table that it drops, above all, which somebody may want to see once more.
    """
    last = locate.last_transaction(scroll, stop, scroll.way.at(base.start))
    if stop.inclusive or last is None or last.position < base.stop:
        return stop
    return Stop(last.position, inclusive=True, told=f"the {last.told}, the last one before then")


def survey(catalogue: Catalogue) -> Survey:
    """Look at what a repository holds.

    Raises:
        Refused: it holds nothing of this stanza.

    """
    claim = catalogue.claimed()
    if claim is None:
        raise Refused(
            "the repository is empty",
            stanza=catalogue.stanza,
            seen=catalogue.storage.place,
            do="see that it is the right one: BACKUP_DIR, S3_BUCKET, HL7OPS_STANZA",
        )
    archive = catalogue.archive(claim)
    backups = {each.id: each for each in catalogue.backups()}
    return Survey(catalogue, archive, archive.kept(), backups)


def plan(
    stanza: Stanza,
    target: Target,
    named: str | None = None,
    *,
    accept_failed_proof: bool = False,
) -> Plan:
    """Plan a recovery; nothing is touched.

    Args:
        stanza: whose, at one of its repositories.
        target: where it is to end.
        named: the backup to begin with; None: the newest sound one that leads there.
        accept_failed_proof: go on with bytes that failed, or are missing, as far as they lead.

    Raises:
        Refused: it cannot be reached; names the nearest valid bounds.
        Corrupt: WAL is not what was kept.

    """
    with looking(stanza, target.timeline) as (seen, scroll):
        if accept_failed_proof:
            return gap.accepting(
                lambda: seen.plan(target, scroll, named, is_accepting=True), scroll
            )
        return seen.plan(target, scroll, named)


def window(stanza: Stanza, timeline: int | None = None) -> Window:
    """Return what can be recovered along a timeline; raises as `plan`."""
    with looking(stanza, timeline) as (seen, scroll):
        return seen.window(scroll)


@contextmanager
def looking(stanza: Stanza, timeline: int | None) -> Iterator[tuple[Survey, Scroll]]:
    """Yield what a repository holds, and the WAL along a timeline, to be read."""
    seen = survey(stanza.catalogue)
    tools = with_programs(stanza, seen.backups.values()).programs
    with scratch(stanza.home, f"survey-{os.getpid()}-{threading.get_ident()}", READ_BYTES) as place:
        folder = place.make(place.wal)
        yield seen, Scroll(seen.archive, _way(seen, timeline), seen.kept, tools, folder)


def with_programs(stanza: Stanza, backups: Iterable[Backup]) -> Stanza:
    """Return the stanza with programs of the version of its newest physical backup, if it has one.

    Raises:
        Refused: there are none; nothing was fetched.

    """
    physical = (each for each in backups if each.type != "snapshot")
    newest = max(physical, key=lambda each: each.finished_at, default=None)
    return stanza.with_programs_of(newest) if newest else stanza


def _way(seen: Survey, timeline: int | None) -> Way:
    archive = seen.archive
    return along(
        timeline,
        archive.histories(),
        seen.kept,
        partial.listed(archive),
        archive.segment_bytes,
    )
