"""Load a snapshot, or a part of it, into a cluster that lasts, and hold that against its seal."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from tasks.control import clock, expectations
from tasks.control.errors import Corrupt, Refused
from tasks.control.phases import Phases, Progress
from tasks.postgres import dump_toc, programs
from tasks.postgres.auto_conf import give_back
from tasks.postgres.server import Server
from tasks.postgres.table_digest import LARGE_OBJECTS
from tasks.recovery.copies import dumps, load
from tasks.recovery.copies.fixpoint import LoadedDump
from tasks.recovery.copies.load import Portion
from tasks.recovery.copies.scratch import Scratch, held
from tasks.recovery.restoring.directory import Destination, examine
from tasks.recovery.restoring.recovering import Reached
from tasks.recovery.restoring.restored import Restored
from tasks.recovery.restoring.work import Work, work_for
from tasks.recovery.snapshots.inventory import compare
from tasks.recovery.snapshots.picking import Picked, pick
from tasks.recovery.snapshots.wanted import Wanted
from tasks.repository.chain import reading
from tasks.repository.stanza import Stanza


BULK = {"maintenance_work_mem": "256MB", "max_wal_size": "4GB", "wal_level": "minimal"}
"""Settings by which a cluster is filled faster, while it is worth nothing yet."""

SYNC_TIMEOUT_S = 3600


def restore_snapshot(
    stanza: Stanza, what: Wanted, destination: Destination, progress: Progress
) -> Restored:
    """Load what is wanted of a snapshot into a new cluster, which then runs at its place.

    What is at the destination stays as it is until the copy was loaded and compared. After a kill
    the same call goes on: what was fetched is not fetched again.

    Raises:
        Refused: nothing may be restored there; nothing was changed.
        Corrupt: an object is not what was kept, something could not be loaded, or what was loaded
            differs from the seal; names it.

    """
    with ExitStack() as stack:
        stack.enter_context(reading(stanza.catalogue, [what.backup]))
        loading = Loading(stanza.with_programs_of(what.backup), what, destination)
        if not loading.work.is_in_place:
            examine(stanza, what.needs, destination, loading.work.spaces)
        stack.enter_context(held(destination.work))
        return loading.run(progress)


@dataclass(frozen=True)
class Loading:
    """One restore of a snapshot: what is wanted, where to, and the directory that it is made in."""

    stanza: Stanza
    what: Wanted
    destination: Destination
    phases: Phases = field(default_factory=Phases)

    @cached_property
    def work(self) -> Work:
        """Where the copy is made; the same wish finds what an earlier run has done of it."""
        what, backup = self.what, self.what.backup
        wish = [
            [backup.id, backup.finished_at.isoformat(), str(what.selection), what.accepted],
            sorted((old, str(new)) for old, new in self.destination.tablespaces.items()),
        ]
        return work_for(self.stanza.home, self.destination, wish, what.needs.tablespaces)

    @property
    def copy(self) -> Scratch:
        """The directory that the copy is made in."""
        return self.work.place

    def run(self, tell: Progress) -> Restored:
        """Fetch, load, compare, and put in place."""
        self.work.begin()
        with self.work.cleared_when_corrupt():
            if not self.work.is_in_place:
                with self.phases.phase("fetch"):
                    self._fetch(tell)
                self._loaded(tell)
        with self.phases.phase("put in place"):
            done = self._settled()
        self.work.remove()
        return done

    def _loaded(self, tell: Progress) -> None:
        """Make the cluster, fill it, and compare; what was found is noted, for after a kill."""
        what = self.what
        try:
            picked = self._picked()
        except Refused:
            self.work.clear()
            self.work.remove()
            raise
        expectations.warm_up()
        with self._running() as server:
            with self.phases.phase("load"):
                portions = self._portions(picked)
                problems = self._load(portions, tell)
            with self.phases.phase("compare"):
                tell("compare", 0, 0)
                dumps = {
                    each.database: LoadedDump(
                        server.database(each.database),
                        self.copy.programs,
                        each.dump,
                        each.entries,
                    )
                    for each in portions
                }
                differences = problems + compare(
                    what.backup, what.sealed, server, dumps, picked, problems=problems
                )
        self._see(differences)
        self.work.note(Reached(what.backup.start_lsn, None))
        self._found.write_text(json.dumps([differences, self._left_out(picked)]))

    def _left_out(self, picked: dict[str, Picked]) -> list[str]:
        """Name what is left out of databases that are loaded in part, and what is not compared."""
        what = self.what
        found = [f"{name}: {each}" for name, one in picked.items() for each in one.left_out]
        found += [
            f"{each.database}: {LARGE_OBJECTS}"
            for each in what.sealed.tables
            if each.database in picked and each.table == LARGE_OBJECTS
        ]
        found += [
            f"not compared: {each.told}"
            for each in what.sealed.not_compared
            if not each.is_expected and each.database in what.databases
        ]
        return found

    @property
    def _found(self) -> Path:
        """What the document of the copy tells besides."""
        return self.copy.path / "found.json"

    def _fetch(self, tell: Progress) -> None:
        folder = self.copy.make(self.copy.path / "dumps")
        every, done = sum(each.raw_bytes for each in self.what.objects), 0
        for item in self.what.objects:
            if not self.work.is_done(item.name):
                dumps.fetch(self.stanza.catalogue, self.what.backup, item, folder)
                self.work.done(item.name)
            done += item.raw_bytes
            tell("fetch", done, every)

    def _picked(self) -> dict[str, Picked]:
        """Choose the entries of each database of which only tables are wanted."""
        found = {}
        for dump in self.what.backup.dumps:
            if tables := self.what.selection.tables_of(dump.database):
                path = self.copy.path / "dumps" / dump.object
                found[dump.database] = pick(dump_toc.of_dump(path), tables)
        return found

    @contextmanager
    def _running(self) -> Iterator[Server]:
        """Yield a new cluster while it is filled; then it is stopped, and all of it is on disk."""
        cluster, place = self.copy.cluster, self.copy
        cluster.stop("immediate")
        for path in (place.data, *place.mapped.values()):
            shutil.rmtree(path, ignore_errors=True)
        for path in place.mapped.values():
            place.make(path)
        cluster.create(place.owner, {}, self.what.backup.maker)
        settings = place.configuration(home=self.stanza.home.path).scratch()
        cluster.start(settings | BULK)
        try:
            yield cluster.server(self.stanza.name, "template1", self.what.backup.maker)
            cluster.stop("fast")
        finally:
            cluster.stop("immediate")
        give_back(place.data)
        sync = ["--sync-only", "-D", place.data]
        programs.run(place.programs, "initdb", sync, timeout_s=SYNC_TIMEOUT_S, owner=place.owner)

    def _portions(self, picked: dict[str, Picked]) -> list[Portion]:
        """Return what is loaded of each database."""
        folder, portions = self.copy.path / "dumps", []
        for dump in self.what.backup.dumps:
            entries = None
            if dump.database in picked:
                entries = folder / f"{dump.object}.list"
                entries.write_text(picked[dump.database].listed)
            if dump.database in self.what.databases:
                portions.append(Portion(dump.database, folder / dump.object, entries))
        return portions

    def _load(self, portions: list[Portion], tell: Progress) -> list[str]:
        """Load them; return what did not go in."""
        folder, spaces = self.copy.path / "dumps", self.what.needs.tablespaces
        places = {each.location: str(self.copy.mapped[each.oid]) for each in spaces}
        return load.load(
            self.what.backup,
            self.copy,
            folder,
            portions,
            place_of=places.__getitem__,
            tell=tell,
        )

    def _see(self, differences: list[str]) -> None:
        if differences and not self.what.accepted:
            raise Corrupt(
                "what was loaded is not what was sealed",
                stanza=self.stanza.name,
                seen="; ".join(differences),
                expected=f"what {self.what.backup.id} holds",
                do="see why; --accept-differences puts it in place, and keeps the list",
            )

    def _settled(self) -> Restored:
        """Put the copy in place of what is there, which is moved aside, and start it there."""
        path, backup = self.destination.path, self.what.backup
        differences, left_out = json.loads(self._found.read_text())
        aside = self.work.put_in_place()
        done = Restored(
            stanza=self.stanza.name,
            path=str(path),
            programs=str(self.copy.programs),
            superuser=backup.maker,
            target=f"{self.what.selection} of {backup.id}",
            backup=backup.id,
            stop=f"the snapshot of {clock.exact(backup.seal.taken_at)}",
            lsn=backup.start_lsn,
            last_transaction_at=None,
            timeline=backup.timeline,
            seconds=self.phases.seconds,
            restored_at=clock.now(),
            previous=str(aside) if aside else None,
            is_promoted=True,
            tablespaces=sorted(map(str, self.copy.mapped.values())),
            differences=differences,
            left_out=left_out,
            warnings=list(self.what.warnings),
        )
        done.keep()
        cluster = replace(done.cluster, is_bound=not self.destination.is_kept)
        cluster.start(done.configuration(home=self.stanza.home.path).restored())
        give_back(path)
        return done
