"""The interfaces at one moment: which messages are due, and what becomes of each that is sent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random

from tasks.hl7.generator import compose, trouble
from tasks.hl7.generator.crowd import Crowd
from tasks.hl7.generator.systems import SYSTEMS, System
from tasks.hl7.generator.trouble import Outcome
from tasks.hl7.generator.visits import Step


@dataclass(frozen=True, slots=True)
class Generated:
    """One message with what the platform knows of its transport; times are aware, in UTC."""

    raw: bytes
    received_at: datetime
    processed_at: datetime | None
    sent_at: datetime | None
    connection: str
    direction: str
    status: str
    ack_code: str | None
    error_code: str | None
    error_category: str | None
    attempts: int


class Traffic:
    """A queue of what is due, and a crowd that begins something new when nothing is."""

    def __init__(self, seed: int, begin: datetime, end: datetime) -> None:
        """Begin with nothing due."""
        self._rng = Random(seed)  # noqa: S311 - repeatable is what is wanted
        self._end = end
        self._calendar = trouble.calendar(begin, end, seed)
        self._crowd = Crowd(seed, begin.date())
        self._prefix = f"{seed % 0x10000:04X}"
        self._sent = count(1)
        self._order = count()
        self._due: list[tuple[datetime, int, Step | Generated]] = []

    def next(self, at: datetime) -> Generated:
        """Return the message of this instant: what is due, or else what somebody begins."""
        while self._due and self._due[0][0] <= at:
            _, _, item = heappop(self._due)
            if isinstance(item, Generated):
                return item
            silence = trouble.silence(self._calendar, compose.carrier(item), at)
            if silence is None:
                return self._sent_now(item, at)
            self._push(silence, item)
        quiet = [s.name for s in SYSTEMS if trouble.silence(self._calendar, s, at)]
        first, *rest = self._crowd.arrival(at, quiet)
        for after, step in rest:
            self._push(at + timedelta(hours=after), step)
        return self._sent_now(first[1], at)

    def _push(self, due: datetime, item: Step | Generated) -> None:
        heappush(self._due, (due, next(self._order), item))

    def _control_id(self) -> str:
        return f"{self._prefix}{next(self._sent):09}"

    def _sent_now(self, step: Step, at: datetime) -> Generated:
        """Let the step happen, write its message, and see what becomes of it."""
        self._crowd.happen(step, at)
        system = compose.carrier(step)
        control_id = self._control_id()
        raw = compose.message(self._rng, step, at, control_id)
        disturbance = trouble.at_time(self._calendar, system, at)
        outcome = trouble.outcome(self._rng, system, at, self._end, disturbance)
        if system.keeps_acks and outcome.ack_code:
            self._answer(system, outcome, at, of=control_id, trigger=step.trigger)
        return _generated(raw, system.name, system.direction, at, outcome)

    def _answer(
        self, system: System, outcome: Outcome, at: datetime, *, of: str, trigger: str
    ) -> None:
        """Put down the acknowledgement: ours at once, the receiver's when it has the message."""
        is_ours = system.direction == "inbound"
        when = (None if is_ours else outcome.sent_at) or outcome.processed_at or at
        when += timedelta(milliseconds=40)
        raw = compose.acknowledgement(
            system, outcome, when, self._control_id(), of=of, trigger=trigger
        )
        done = Outcome("S", processed_at=when, sent_at=when + timedelta(milliseconds=5))
        direction = "outbound" if is_ours else "inbound"
        self._push(when, _generated(raw, system.name, direction, when, done))


def _generated(
    raw: bytes, connection: str, direction: str, at: datetime, outcome: Outcome
) -> Generated:
    return Generated(
        raw,
        at,
        outcome.processed_at,
        outcome.sent_at,
        connection,
        direction,
        outcome.status,
        outcome.ack_code,
        outcome.error_code,
        outcome.category,
        outcome.attempts,
    )
