"""Restore: a copy is made aside, recovered, held against its plan, and only then put in place."""

import logging
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from tasks.control import clock
from tasks.control.errors import Corrupt, WrongKey
from tasks.control.phases import Phases, Progress
from tasks.postgres.auto_conf import give_back
from tasks.recovery.copies.scratch import held
from tasks.recovery.planning import survey
from tasks.recovery.planning.plan import Plan
from tasks.recovery.planning.target import Target
from tasks.recovery.restoring import recovering, restored
from tasks.recovery.restoring.build import Build
from tasks.recovery.restoring.directory import Destination, examine
from tasks.recovery.restoring.feed import Feed
from tasks.recovery.restoring.needed import needed, see_that_wal_is_there
from tasks.recovery.restoring.recovering import Copy
from tasks.recovery.restoring.restored import Restored
from tasks.recovery.restoring.restored_configuration import lay
from tasks.recovery.restoring.work import Work, abandon, work_for
from tasks.repository.chain import reading
from tasks.repository.history import file_name
from tasks.repository.model import CONFIGURATION
from tasks.repository.stanza import Stanza
from tasks.repository.wal import Archive


log = logging.getLogger(__name__)

ACCEPT = "hl7ops restore --accept-failed-proof ends at the last record before it"


def restore(
    stanza: Stanza,
    target: Target,
    destination: Destination,
    *,
    named: str | None = None,
    promote: bool = False,
    accept_failed_proof: bool = False,
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
        accept_failed_proof: go on with bytes that failed, or are missing, as far as they lead.
        progress: told how far it is.

    Raises:
        Refused: the point cannot be had, or nothing may be restored there; nothing was changed.
        Corrupt: what is kept is not what it was, or recovery ended elsewhere.

    """
    phases = Phases()
    with phases.phase("plan"):
        plan = survey.plan(stanza, target, named, accept_failed_proof=accept_failed_proof)
    stanza = stanza.with_programs_of(plan.backup)
    for said in (*plan.warnings, *plan.accepted):
        log.warning("%s", said)
    with ExitStack() as stack:
        stack.enter_context(reading(stanza.catalogue, plan.chain))
        see_that_wal_is_there(plan, stanza.catalogue.archive(plan.backup))
        wanted = Restore(stanza, plan, destination, phases, promote)
        if not wanted.work.is_in_place:
            examine(stanza, plan.needs, destination, wanted.work.spaces)
        stack.enter_context(held(destination.work))
        return wanted.run(progress)


def unmake(stanza: Stanza, path: Path) -> None:
    """Remove a copy, also one that is half made, with all that lies beside it; absent is fine."""
    abandon(stanza.home, Destination(path).work, path)
    restored.remove(path)


@dataclass(frozen=True)
class Restore:
    """One restore: what is planned, where to, and the directory in which it is made."""

    stanza: Stanza
    plan: Plan
    destination: Destination
    phases: Phases
    promote: bool

    @cached_property
    def work(self) -> Work:
        """Where the copy is made; the same wish finds what an earlier run has done of it.

        The latest goes on where more is archived.
        """
        stop, plan = self.plan.stop, self.plan
        wish = [
            [(link.id, link.finished_at.isoformat()) for link in plan.chain],
            [stop.position, stop.inclusive] if stop and plan.target.kind != "latest" else None,
            plan.target.kind,
            plan.way.history.timeline,
            sorted((old, str(new)) for old, new in self.destination.tablespaces.items()),
            [self.promote, self.destination.delta, plan.is_accepting],
        ]
        return work_for(self.stanza.home, self.destination, wish, plan.backup.tablespaces)

    @property
    def accepted(self) -> list[str]:
        """What is not as it was kept, as somebody has accepted: planned, and found in copying."""
        return list(dict.fromkeys([*self.plan.accepted, *self.work.lost]))

    @property
    def _lenient(self) -> Plan:
        """The plan, with all that was lost, by which the copy replays."""
        return replace(self.plan, accepted=self.accepted)

    def run(self, tell: Progress) -> Restored:
        """Make the copy, recover it, see that it is where it should be, and put it in place."""
        self.work.begin()
        with self.work.cleared_when_corrupt():
            if not self.work.is_in_place:
                self._made(tell)
        with self.phases.phase("put in place"):
            done = self._settled()
        done.keep()
        self.work.remove()
        if self.destination.delta:
            restored.remove(self.work.aside)
        return done

    def _made(self, tell: Progress) -> None:
        """Make the copy in the working directory, recovered and stopped."""
        with self.phases.phase("copy"):
            build = Build(self.stanza.catalogue, self.plan, self.work, self.stanza.home.path)
            build.run(tell)
            build.see_libraries()
        place = self.work.place
        server = place.cluster.server(self.stanza.name, superuser=self.plan.backup.maker)
        copy = Copy(place.cluster, build.configuration, server)
        if not self.work.is_promoted:
            copy.cluster.stop("fast")  # a run that was killed may have left it
            with self.phases.phase("replay"):
                self._recover(copy, tell)
                at = recovering.reached(copy)
                recovering.see_that_it_is_there(self.plan, copy.cluster.log.read_text(), at)
            self.work.note(at)
        copy.cluster.stop("fast")
        give_back(place.data)

    def _recover(self, copy: Copy, tell: Progress) -> None:
        archive, place = self.stanza.catalogue.archive(self.plan.backup), self.work.place
        self._lay_histories(archive)
        kept = {segment.name: each for segment, each in archive.kept().items()}
        files = needed(self.plan, archive, kept)
        feed = Feed(files, place.path / "feed", place.owner)
        action: recovering.Action = "promote" if self.promote else "pause"
        try:
            recovering.recover(copy, self._lenient, feed, tell, action)
        except WrongKey:
            raise
        except Corrupt as error:
            if error is not feed.problem:
                raise
            raise Corrupt(str(error), do=ACCEPT) from None

    def _lay_histories(self, archive: Archive) -> None:
        """Let the copy know of all timelines, so that promoted it takes a number of its own."""
        place = self.work.place
        for timeline, data in archive.history_files().items():
            path = place.data / "pg_wal" / file_name(timeline)
            path.write_bytes(data)
            place.owner.take(path)

    def _settled(self) -> Restored:
        """Put the copy in place of what is there, which is moved aside, and start it there."""
        path, place, last = self.destination.path, self.work.place, self.plan.last
        aside = self.work.put_in_place()
        at = self.work.at
        assert at is not None  # noqa: S101 - it was noted before the copy was stopped
        done = Restored(
            stanza=self.stanza.name,
            path=str(path),
            programs=str(place.programs),
            superuser=self.plan.backup.maker,
            target=str(self.plan.target),
            backup=self.plan.backup.id,
            stop=self.plan.stop.told if self.plan.stop else "as soon as it was consistent",
            lsn=at.lsn,
            last_transaction_at=last.at if last else at.last_transaction_at,
            timeline=self.plan.timeline,
            seconds=self.phases.seconds,
            restored_at=clock.now(),
            previous=str(aside) if aside and not self.destination.delta else None,
            is_promoted=self.promote,
            tablespaces=sorted(map(str, place.mapped.values())),
            warnings=list(self.plan.warnings),
            accepted=self.accepted,
        )
        done.keep()
        cluster = replace(done.cluster, is_bound=not self.destination.is_kept)
        lay(place.path / CONFIGURATION, done.beside, place.owner)
        settings = done.configuration(self.plan.backup.settings, self.stanza.home.path)
        if done.is_promoted:
            cluster.start(settings.restored())
        elif cluster.pid() is None:
            copy = Copy(cluster, settings, done.server)
            recovering.recover(copy, self._lenient, None, lambda _phase, _done, _all: None)
        give_back(path)
        return done
