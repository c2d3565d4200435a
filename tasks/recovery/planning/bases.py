"""The backups that a recovery may begin with, and what the repository knows of each."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from tasks.control.errors import Corrupt, Refused
from tasks.recovery.planning import doubts
from tasks.recovery.planning.choice import choose, nearest
from tasks.recovery.planning.locate import Stop
from tasks.recovery.planning.plan import Base, Window
from tasks.recovery.planning.target import Target
from tasks.repository.catalogue import Catalogue
from tasks.repository.chain import links_of
from tasks.repository.model import FINGERPRINT, Backup, BackupId
from tasks.repository.proof import BYTES, Proof


BASE = "base.tar"
"""The object without which there is nothing to restore."""


@dataclass(frozen=True)
class Bases:
    """The backups of a catalogue, by id."""

    catalogue: Catalogue
    backups: Mapping[BackupId, Backup]

    def listed(self) -> list[Base]:
        """List the physical backups, the one that finished last at the end."""
        physical = [each for each in self.backups.values() if each.type != "snapshot"]
        return [self._base(each) for each in sorted(physical, key=lambda each: each.finished_at)]

    def _base(self, backup: Backup) -> Base:
        try:
            return Base(links_of(backup, self._find))
        except Corrupt as error:
            return Base([backup], str(error))

    def _find(self, wanted: BackupId) -> Backup:
        if wanted not in self.backups:
            raise Refused("there is no such backup", seen=wanted)
        return self.backups[wanted]

    def looked_at(self, base: Base) -> Base:
        """Look closer at a base: whether its objects are there, and what its last proof said."""
        if base.problem is not None:
            return base
        last, lost = self.catalogue.last_proof(base.backup.id), self._lost(base)
        failed = doubts.failure(last)
        return replace(
            base,
            problem=next((each for each in lost if f"it lacks {BASE}" in each), None),
            failed="; ".join([*([failed] if failed else []), *lost[:1]]) or None,
            doubts=doubts.doubts(base.backup, last),
            differs=isinstance(last, Proof) and bool(last.failed_comparison),
            is_proven=isinstance(last, Proof) and last.verdict in ("proven", "partial"),
        )

    def chosen(
        self,
        target: Target,
        stop: Stop | None,
        window: Window,
        named: str | None,
        *,
        is_accepting: bool,
    ) -> tuple[Base, list[str]]:
        """Choose a base, and look closer at it; then choose again where something was found."""
        looked: set[BackupId] = set()
        while True:
            base, passed_over = choose(target, stop, window, named, is_accepting=is_accepting)
            if base.backup.id in looked:
                return base, passed_over
            looked.add(base.backup.id)
            seen = [self.looked_at(base) if each is base else each for each in window.bases]
            window = replace(window, bases=seen)

    def alternative(
        self, target: Target, base: Base, window: Window, stop: Stop | None, named: str | None
    ) -> list[str]:
        """Name the newest older base that leads there as well, where a comparison of one failed."""
        if not base.differs or named is not None or stop is None:
            return []
        older = window.bases[: [each.backup.id for each in window.bases].index(base.backup.id)]
        for each in reversed(older):
            looked = self.looked_at(each)
            if looked.is_proven and looked.failed is None and looked.problem is None:
                with suppress(Refused):
                    alone = replace(window, bases=[looked])
                    choose(target, stop, alone, None)
                    return [f"--backup {each.backup.id}, which is proven, leads there as well"]
        return []

    def others(
        self, target: Target, base: Base, window: Window, stop: Stop | None
    ) -> list[list[BackupId]]:
        """List the chains of the other bases that lead to a stop, the newest first.

        Nobody has looked at them closely: they are named where this one turns out to be bad.
        """
        found = []
        for each in reversed(window.bases):
            if stop and each.backup.id != base.backup.id and each.problem is None:
                with suppress(Refused):
                    choose(target, stop, replace(window, bases=[each]), None)
                    found.append([link.id for link in each.chain])
        return found

    def nearest(self, stop: Stop | None, window: Window, named: str | None) -> Base | None:
        """Return the base that leads nearest to a stop before which WAL is missing."""
        looked = [self.looked_at(each) for each in window.bases]
        return nearest(stop, replace(window, bases=looked), named)

    def _lost(self, base: Base) -> list[str]:
        """List what is missing of a base, or has another size.

        What its seal measured is not needed to restore it.
        """
        catalogue, found = self.catalogue, []
        for link in base.chain:
            for name in catalogue.lacking(link):
                is_there = catalogue.storage.exists(f"{catalogue.prefix(link.id)}{name}")
                what = f"{name} has another size" if is_there else f"it lacks {name}"
                whose = "" if link is base.backup else f"{link.id}: "
                if not name.startswith(FINGERPRINT):
                    found.append(f"{whose}{what}")
        return found

    def seconds(self, backup: Backup) -> float | None:
        """Return what its last proof took to make a copy of a backup; None: it was not verified."""
        proof = self.catalogue.last_proof(backup.id)
        if not isinstance(proof, Proof):
            return None
        return sum(proof.seconds.get(tier, 0) for tier in BYTES)
