"""Restore: a copy is made aside, recovered, held against its plan, and only then put in place."""

import hashlib
import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tasks.control import clock
from tasks.control.errors import Refused
from tasks.postgres.server import Server
from tasks.recovery import recovering, restored, survey
from tasks.recovery.boot import SUPERUSER
from tasks.recovery.build import Build
from tasks.recovery.directory import Destination, examine
from tasks.recovery.feed import Feed
from tasks.recovery.plan import Plan
from tasks.recovery.recovering import Copy, Progress
from tasks.recovery.restored import Restored, let_in
from tasks.recovery.scratch import Scratch, held
from tasks.recovery.target import Target
from tasks.repository.history import file_name
from tasks.repository.stanza import Stanza
from tasks.repository.wal import Archive


log = logging.getLogger(__name__)

WISH = "wish.json"
"""What a working directory is for, so that only the same restore goes on in it."""


@dataclass
class Phases:
    """How long each phase of a restore took, in seconds."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a block."""
        began = clock.now()
        yield
        self.seconds[name] = round((clock.now() - began).total_seconds(), 3)


def restore(
    stanza: Stanza,
    target: Target,
    destination: Destination,
    *,
    named: str | None = None,
    promote: bool = False,
    progress: Progress = lambda _phase, _done, _all: None,
) -> Restored:
    """Restore a cluster to a point; the copy runs when it is there, paused unless promoted.

    The source is not touched. What is at the destination stays as it is until the copy has been
    recovered aside and is where the plan ends. After a kill the same call goes on.

    Args:
        stanza: whose, at one of its repositories.
        target: where recovery ends.
        destination: where the copy goes.
        named: the backup to begin with; None: the newest sound one that leads there.
        promote: let the copy be written at once.
        progress: told how far it is.

    Raises:
        Refused: the point cannot be had, or nothing may be restored there; nothing was changed.
        Corrupt: what is kept is not what it was, or recovery ended elsewhere.

    """
    phases = Phases()
    with phases.phase("plan"):
        plan = survey.plan(stanza, target, named)
    with ExitStack() as stack:
        for link in plan.chain:
            stack.enter_context(stanza.catalogue.reading(link.id))
            stanza.catalogue.get(link.id)  # a cleanup may have removed it just before
        examine(stanza, plan, destination)
        stack.enter_context(held(destination.work))
        work = Work(stanza, plan, destination, phases, promote=promote)
        return work.run(progress)


@dataclass(frozen=True)
class Work:
    """A restore at work in a directory beside its destination."""

    stanza: Stanza
    plan: Plan
    destination: Destination
    phases: Phases
    promote: bool

    @property
    def place(self) -> Scratch:
        """Where the copy is made."""
        home = self.stanza.home
        mapped = self.destination.mapped(self.plan)
        return Scratch(self.destination.work, home.owner, home.programs, mapped)

    def run(self, tell: Progress) -> Restored:
        """Make the copy, recover it, see that it is where it should be, and put it in place."""
        place = self.place
        place.make(place.path)
        stamp = self._begun()
        with self.phases.phase("copy"):
            build = Build(self.stanza.catalogue, self.plan, place)
            build.run(tell)
            build.see_libraries()
        copy = self._copy()
        with self.phases.phase("replay"):
            self._recover(copy, tell)
            at = recovering.reached(copy)
            recovering.see_that_it_is_there(self.plan, copy.cluster.log.read_text(), at)
        if self.promote:
            with self.phases.phase("promote"):
                restored.promoted(copy.server)
        with self.phases.phase("put in place"):
            copy.cluster.stop("fast")
            return self._settled(stamp, at)

    def _begun(self) -> str:
        """Return the moment in which this restore was begun, maybe by a run that was killed.

        Raises:
            Refused: the working directory holds something else.

        """
        wish, path = self._wish(), self.place.path / WISH
        if path.exists():
            known = json.loads(path.read_text())
            if known["wish"] == wish:
                log.info("going on with what was begun at %s", known["stamp"])
                return str(known["stamp"])
        elif any(self.place.path.iterdir()):
            raise Refused(
                "the working directory holds something else",
                seen=self.place.path,
                do="remove it, or choose another directory",
            )
        self._clear()
        stamp = clock.stamp(clock.now())
        path.write_text(json.dumps({"wish": wish, "stamp": stamp}))
        return stamp

    def _wish(self) -> str:
        stop = self.plan.stop
        said = [
            [(link.id, link.finished_at.isoformat()) for link in self.plan.chain],
            [stop.position, stop.inclusive] if stop else None,
            self.plan.way.history.timeline,
            sorted((oid, str(path)) for oid, path in self.place.mapped.items()),
        ]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    def _clear(self) -> None:
        """Remove what another restore left in the working directory."""
        self.place.cluster.stop("immediate")
        for path in self.place.path.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for space in self.place.mapped.values():
            shutil.rmtree(space, ignore_errors=True)

    def _copy(self) -> Copy:
        place, access = self.place, self.place.path / "access.conf"
        let_in(access)
        for path in (access, access.with_name("ident.conf")):
            place.owner.take(path)
        return Copy(place.cluster, self._server(), access)

    def _server(self) -> Server:
        return self.place.cluster.server(self.stanza.name, superuser=self._superuser)

    @property
    def _superuser(self) -> str:
        return self.plan.backup.superuser or SUPERUSER

    def _recover(self, copy: Copy, tell: Progress) -> None:
        copy.cluster.stop("fast")  # a run that was killed may have left it running
        archive = self.stanza.catalogue.archive(self.plan.backup)
        self._lay_histories(archive)
        kept = {segment.name: each for segment, each in archive.kept().items()}
        files = recovering.files(self.plan, archive, kept)
        feed = Feed(files, self.place.path / "feed", self.place.owner)
        recovering.recover(copy, self.plan, feed, tell)

    def _lay_histories(self, archive: Archive) -> None:
        """Let the copy know of all timelines, so that promoted it takes a number of its own."""
        folder = self.place.data / "pg_wal"
        for timeline in archive.histories():
            path = folder / file_name(timeline)
            path.write_bytes(archive.fetch_history(timeline))
            self.place.owner.take(path)

    def _settled(self, stamp: str, at: recovering.Reached) -> Restored:
        """Put the copy in place of what is there, which is moved aside, and start it there."""
        path, last = self.destination.path, self.plan.last
        aside = path.with_name(f"{path.name}.before-{stamp}")
        if path.exists():
            restored.swap(path, aside) if any(path.iterdir()) else path.rmdir()
        self.place.data.rename(path)
        done = Restored(
            stanza=self.stanza.name,
            path=str(path),
            programs=str(self.place.programs),
            superuser=self._superuser,
            target=str(self.plan.target),
            backup=self.plan.backup.id,
            stop=self.plan.stop.told if self.plan.stop else "as soon as it was consistent",
            lsn=at.lsn,
            last_transaction_at=last.at if last else at.last_transaction_at,
            timeline=self.plan.timeline,
            seconds=self.phases.seconds,
            restored_at=clock.now(),
            previous=str(aside) if aside.exists() else None,
            is_promoted=self.promote,
        )
        done.keep()
        self._start(done)
        shutil.rmtree(self.place.path)
        return done

    def _start(self, done: Restored) -> None:
        copy = Copy(done.cluster, done.server, done.access)
        if done.is_promoted:
            done.cluster.start(recovering.apart(copy))
        else:
            recovering.recover(copy, self.plan, None, lambda _phase, _done, _all: None)
