"""Stream WAL into the repository: whole segments at once, the unfinished one every few seconds."""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from tasks.backup.pull import PATIENCE_S, STREAM
from tasks.backup.receiver import Receiver, receiving
from tasks.backup.spool import spooling
from tasks.backup.transfer import Caught, catch_up
from tasks.control import clock
from tasks.control.errors import Transient
from tasks.postgres import lsn, slot
from tasks.postgres.lsn import Segment
from tasks.postgres.server import Server
from tasks.repository import partial
from tasks.repository.stanza import Stanza


log = logging.getLogger(__name__)

TICK_S = 0.5
"""How often finished segments are looked for."""

GIVE_UP_S = 300
"""How long a stream tries to get its server back."""

PAUSES_S = (0.5, 1, 2, 5, 10)
"""Pauses between two tries; the last one is repeated."""


@dataclass(frozen=True)
class Streamed:
    """How far a stream is: new segments, where whole ones end, and how far the unfinished reaches.

    `breaks` counts how often the server was lost and found again.
    """

    segments: int = 0
    reaches: str | None = None
    partial: str | None = None
    breaks: int = 0


Tell = Callable[[Streamed], None]
"""Called every time that something was archived."""


def stream(
    stanza: Stanza,
    server: Server,
    *,
    seconds: float | None = None,
    tell: Tell = lambda _now: None,
) -> Streamed:
    """Archive WAL while it is written, until interrupted.

    A server that goes away, is restarted, or gives way to a promoted one, is come back to; each
    time the archive catches up first, with all checks of a pull, so that no gap arises.

    Args:
        stanza: where to.
        server: where from; an address of several hosts follows a promotion.
        seconds: end after so many; None: run on.
        tell: told how far it is.

    Raises:
        Refused: another stream is on, or what `pull` refuses.
        Transient: the server did not come back within five minutes.

    """
    hold = stanza.catalogue.storage.hold
    with ExitStack() as held:
        held.enter_context(hold(STREAM, shared=False, stanza=stanza.name, patience_s=2))
        held.enter_context(hold("wal", shared=False, stanza=stanza.name, patience_s=PATIENCE_S))
        left = float("inf") if seconds is None else seconds
        run = Stream(stanza, server, tell, time.monotonic() + left)
        while not run.is_over:
            try:
                run.session()
            except Transient as error:
                run.pause(error)
        return run.now


class Stream:
    """One stream over all of its sessions: what it has done, and when its server was last there."""

    def __init__(self, stanza: Stanza, server: Server, tell: Tell, deadline: float) -> None:
        """Prepare a stream that ends at a moment of the monotonic clock."""
        self.stanza = stanza
        self.server = server
        self.now = Streamed()
        self._tell = tell
        self._deadline = deadline
        self._good_at = time.monotonic()
        self._tries = 0

    @property
    def is_over(self) -> bool:
        """Tell whether its time is up."""
        return time.monotonic() >= self._deadline

    def session(self) -> None:
        """Catch up, then archive what comes, until the time is up or the server is gone.

        Raises:
            Transient: the server is gone.

        """
        with spooling(self.stanza) as folder:
            caught = catch_up(
                self.stanza, self.server, folder, switch=False, progress=lambda *_: self._alive()
            )
            self.note(segments=caught.segments, reaches=lsn.spell(caught.end.start))
            with receiving(self.stanza, self.server, folder, caught.end) as receiver:
                line = Line(self, caught, receiver)
                try:
                    while receiver.is_alive and not self.is_over:
                        time.sleep(TICK_S)
                        line.tick()
                        if receiver.is_alive:
                            self._alive()
                finally:
                    with suppress(Transient):  # the slot keeps what is not archived now
                        line.last()
            if not self.is_over:
                raise Transient(
                    "the stream broke", stanza=self.stanza.name, seen=receiver.last_words
                )

    def pause(self, error: Transient) -> None:
        """Wait a while before the next try.

        Raises:
            Transient: it was tried for long enough.

        """
        gone_s = time.monotonic() - self._good_at
        if gone_s > GIVE_UP_S:
            raise error
        log.warning("%s; gone for %.0f s, trying again", error, gone_s)
        pause_s = PAUSES_S[min(self._tries, len(PAUSES_S) - 1)]
        self._tries += 1
        self.note(breaks=1)
        time.sleep(max(0, min(pause_s, self._deadline - time.monotonic())))

    def note(
        self,
        *,
        segments: int = 0,
        reaches: str | None = None,
        unfinished: str | None = None,
        breaks: int = 0,
    ) -> None:
        """Note what was done, and tell it."""
        before = self.now
        self.now = Streamed(
            before.segments + segments,
            reaches or before.reaches,
            unfinished or before.partial,
            before.breaks + breaks,
        )
        self._tell(self.now)

    def _alive(self) -> None:
        self._good_at, self._tries = time.monotonic(), 0


class Line:
    """One session of a stream: the receiver, and the segment that comes next."""

    def __init__(self, stream: Stream, caught: Caught, receiver: Receiver) -> None:
        """Begin where the archive has caught up."""
        self._stream = stream
        self._archive = caught.archive
        self._receiver = receiver
        self._next: Segment = caught.end
        self._kept_at = float("-inf")

    def tick(self) -> None:
        """Archive what is finished, and the unfinished segment when it is due."""
        self._whole()
        every = self._stream.stanza.settings.wal_partial_seconds
        if time.monotonic() - self._kept_at >= every:
            self._unfinished()

    def last(self) -> None:
        """Let the receiver end, and archive what it has left."""
        self._receiver.end()
        self._whole()
        self._unfinished()

    def _whole(self) -> None:
        finished = self._receiver.finished(self._next)
        for segment in finished:
            path = self._receiver.folder / segment.name
            self._archive.store(segment, path.read_bytes(), None)
        if finished:
            end = finished[-1].end
            self._stream.stanza.catalogue.reaches.note(finished[-1].next())
            slot.advance(self._stream.server, end)
            for segment in finished:
                (self._receiver.folder / segment.name).unlink()
            self._next = finished[-1].next()
            partial.forget(self._archive, self._next)
            self._stream.note(segments=len(finished), reaches=lsn.spell(end))

    def _unfinished(self) -> None:
        data = self._receiver.unfinished(self._next)
        self._kept_at = time.monotonic()
        kept = partial.keep(self._archive, self._next, data, clock.now())
        if kept:
            self._stream.note(unfinished=kept.reaches)
