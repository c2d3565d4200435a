"""The backups of a stanza by age: what each is built on, and which of them can be relied on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from tasks.backup.policy import FULL, Standing
from tasks.postgres import lsn
from tasks.repository.model import Backup, BackupId, Damaged


SNAPSHOT = "snapshot"
"""A logical backup: it needs no WAL, nothing is built on it, and no point in time is reached."""

LEAST_SHARE = 0.5
"""A full backup below this share of the last proven one is doubted (GitLab, 2017: empty dumps)."""


UNKNOWN = Standing()
"""Of a backup of which nothing was said: it is unproven, unpinned and idle."""


@dataclass(frozen=True)
class Inventory:
    """Backups, the oldest first by the time at which they finished, and what is known of them."""

    backups: Sequence[Backup]
    standings: Mapping[BackupId, Standing]

    @classmethod
    def of(
        cls, entries: Iterable[Backup | Damaged], standings: Mapping[BackupId, Standing]
    ) -> "Inventory":
        """Return the inventory of what can be read of a catalogue."""
        readable = (entry for entry in entries if isinstance(entry, Backup))
        return cls(sorted(readable, key=lambda each: (each.finished_at, each.id)), standings)

    @cached_property
    def physical(self) -> list[Backup]:
        """Those that WAL can be replayed on."""
        return [backup for backup in self.backups if not is_snapshot(backup)]

    @cached_property
    def snapshots(self) -> list[Backup]:
        """Those that stand for themselves."""
        return [backup for backup in self.backups if is_snapshot(backup)]

    def standing(self, backup: Backup) -> Standing:
        """Return what is known of a backup; unless said otherwise it is unproven and idle."""
        return self.standings.get(backup.id, UNKNOWN)

    def chain(self, backup: Backup) -> list[Backup]:
        """Return what a backup is restored from as far as it is there: itself first, then back."""
        return self._chains[backup.id]

    def ancestors(self, backup: Backup) -> list[Backup]:
        """Return what a backup is built on, the nearest first."""
        return self.chain(backup)[1:]

    def is_whole(self, backup: Backup) -> bool:
        """Tell whether its chain begins with a full backup that is there."""
        return self.chain(backup)[-1].type == "full"

    def recovers(self, backup: Backup) -> bool:
        """Tell whether its last proof recovered it, whatever was found of its contents."""
        return self.standing(backup).recovers

    def is_sound(self, backup: Backup) -> bool:
        """Tell whether no bytes of it are known to be bad; the proof of a chain is its last's."""
        if not self.is_whole(backup):
            return False
        failed = any(self.standing(link).has_failed_bytes for link in self.chain(backup))
        return self.recovers(backup) or not failed

    def counted(self) -> list[Backup]:
        """Return the full backups that count as such: sound ones that did not shrink."""
        return [
            each
            for each in self._full
            if self.recovers(each) or (self.is_sound(each) and each.id not in self.shrunk)
        ]

    @cached_property
    def shrunk(self) -> dict[BackupId, Backup]:
        """Those that no proof recovered and that are far smaller than the last that one did."""
        found: dict[BackupId, Backup] = {}
        last: Backup | None = None
        for each in self._full:
            if self.recovers(each):
                last = each
            elif last is not None and each.bytes_stored < last.bytes_stored * LEAST_SHARE:
                found[each.id] = last
        return found

    def proven_chains(self, number: int) -> list[Backup]:
        """Return the last recovered link of each of the newest chains, the newest chain first.

        Chains are told apart by their full backup. One whose beginning cannot be read now is
        returned as well, but does not count.
        """
        found: list[Backup] = []
        beginnings: set[BackupId] = set()
        for backup in reversed([each for each in self.physical if self.recovers(each)]):
            beginning = self.chain(backup)[-1].id
            if len(beginnings) < number and beginning not in beginnings:
                found.append(backup)
                beginnings |= {beginning} if self.is_whole(backup) else set()
        return found

    def deepest(self, backups: Sequence[Backup]) -> dict[str, list[Backup]]:
        """Return the newest of those that are proven deepest, by reason; nothing where none is.

        One whose beginning cannot be read now is returned as well, but does not count.
        """
        found: list[Backup] = []
        recovered = [each for each in reversed(backups) if self.recovers(each)]
        for backup in sorted(recovered, key=lambda each: -self.standing(each).depth):
            found.append(backup)
            if is_snapshot(backup) or self.is_whole(backup):
                break
        if not found:
            return {}
        is_full = self.standing(found[-1]).depth == FULL
        kind = SNAPSHOT if is_snapshot(found[-1]) else "one"
        return {f"the newest {kind} proven {'fully' if is_full else 'deepest'}": found}

    def leads_to(self, horizon: datetime) -> dict[str, list[Backup]]:
        """Return the backups from which the points after a moment are reached, by reason.

        They finished before it: the newest that nothing speaks against, and the newest that is
        known to recover. Where the platform was set back in time since, so that newer backups lie
        before the end of that one, also those that they may have come from.
        """
        older = [each for each in self.physical if each.finished_at < horizon]
        newest = ([each for each in older if self.is_sound(each)] or older)[-1:]
        return {
            "the window begins with it": newest,
            "the newest known to recover from before the window": [
                each for each in older if self.recovers(each) and self.is_whole(each)
            ][-1:],
            "the platform was set back to it or later": self._behind(newest, older, horizon),
        }

    def _behind(
        self, newest: Sequence[Backup], older: Sequence[Backup], horizon: datetime
    ) -> list[Backup]:
        """Return the older ones that end before a younger one on another timeline begins.

        Nothing, unless that younger one begins before the end of the newest older one. This finds
        it only where a backup was taken soon after the platform was set back.
        """
        if not newest:
            return []
        base, cluster = newest[0], newest[0].system_identifier
        begun = [
            start_of(each)
            for each in self.physical
            if each.finished_at >= horizon
            and each.system_identifier == cluster
            and each.timeline != base.timeline
        ]
        back = max((start for start in begun if start < end_of(base)), default=-1)
        return [
            each for each in older if each.system_identifier == cluster and end_of(each) <= back
        ]

    @cached_property
    def _full(self) -> list[Backup]:
        return [each for each in self.physical if each.type == "full"]

    @cached_property
    def _chains(self) -> dict[BackupId, list[Backup]]:
        known = {backup.id: backup for backup in self.backups}
        found: dict[BackupId, list[Backup]] = {}
        for backup in self.backups:
            chain = found[backup.id] = [backup]
            passed = {backup.id}
            while (name := chain[-1].parent) is not None and name in known and name not in passed:
                chain.append(known[name])
                passed.add(name)
        return found


def is_snapshot(backup: Backup) -> bool:
    """Tell whether a backup is a logical one."""
    return str(backup.type) == SNAPSHOT


def start_of(backup: Backup) -> int:
    """Return the position in bytes from which a backup needs WAL."""
    return lsn.parse(backup.start_lsn)


def end_of(backup: Backup) -> int:
    """Return the position in bytes up to which a backup needs WAL: its seal, or its stop."""
    return max(lsn.parse(backup.stop_lsn), lsn.parse(backup.seal.end_lsn))
