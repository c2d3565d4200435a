"""What goes wrong on generated interfaces, when, and what becomes of the messages meanwhile."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from tasks.hl7.generator.systems import SYSTEMS, System


KINDS = {
    "inbound": ("content", "rejected", "slow", "silence"),
    "outbound": ("timeout", "connection", "rejected", "slow"),
}
"""What can befall an interface: whoever sends can be wrong or silent, whoever receives be away."""

_A_DAY = 0.10
"""Chance of a disturbance of one interface on one day."""

_HIT = 0.75
"""Share of the messages within an error burst that fail."""

_BASELINE_ERROR = 0.004
_FILTERED = 0.03
_NOT_FORWARDED = 0.04

_MEDIAN_S = 0.12
"""Median of the platform's part of the work, in seconds; half an order of magnitude is usual."""

_SLOWNESS = 40.0
_RETRY = timedelta(seconds=30)
_TIMEOUT = timedelta(seconds=30)

CODES = {"content": ("101", "102", "103"), "rejected": ("207",), "processing": ("207",)}
"""HL7 table 0357: field missing, data type error, table value not found, internal error."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A time in which one interface does not do well."""

    kind: str
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message; `processed_at` and `sent_at` are None until they happen."""

    status: str
    ack_code: str | None = None
    error_code: str | None = None
    category: str | None = None
    processed_at: datetime | None = None
    sent_at: datetime | None = None
    attempts: int = 1


Calendar = Mapping[str, list[Disturbance]]
"""Disturbances by the name of the system, in order and without overlap."""


def calendar(begin: datetime, end: datetime, seed: int) -> Calendar:
    """Draw the disturbances of all systems for a span of time."""
    rng = Random(seed + 2)  # noqa: S311 - repeatable is what is wanted
    return {system.name: _drawn(rng, system, begin, end) for system in SYSTEMS}


def _drawn(rng: Random, system: System, begin: datetime, end: datetime) -> list[Disturbance]:
    found = []
    day = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    while day < end:
        if rng.random() < _A_DAY:
            start = day + timedelta(hours=rng.uniform(6, 18))
            length = timedelta(minutes=rng.uniform(20, 180))
            found.append(Disturbance(rng.choice(KINDS[system.direction]), start, start + length))
        day += timedelta(days=1)
    return found


def at_time(calendar: Calendar, system: System, moment: datetime) -> Disturbance | None:
    """Return the disturbance of a system at a moment, if there is one."""
    known = calendar[system.name]
    index = bisect_right(known, moment, key=lambda disturbance: disturbance.begin) - 1
    return known[index] if index >= 0 and moment < known[index].end else None


def silence(calendar: Calendar, system: System, moment: datetime) -> datetime | None:
    """Return until when a system sends nothing, if it is silent at a moment."""
    found = at_time(calendar, system, moment)
    return found.end if found and found.kind == "silence" else None


def outcome(
    rng: Random, system: System, at: datetime, end: datetime, trouble: Disturbance | None
) -> Outcome:
    """Decide what becomes of a message that arrives `at`, as known at `end`, when we look."""
    kind = trouble.kind if trouble else ""
    slowness = _SLOWNESS if kind == "slow" else 1.0
    processed = at + timedelta(seconds=_MEDIAN_S * slowness * rng.lognormvariate(0, 0.6))
    if processed > end:
        return Outcome("R")
    if trouble and kind == "connection":
        sent = trouble.end + timedelta(seconds=rng.uniform(1, 120))
        return _queued(system, processed, sent, end)
    if kind in ("content", "rejected", "timeout") and rng.random() < _HIT:
        return _failed(rng, system, kind, processed)
    if rng.random() < _BASELINE_ERROR:
        usual = "content" if rng.random() < 0.8 else "processing"  # noqa: PLR2004 - the usual mix
        return _failed(rng, system, usual, processed)
    return _done(rng, system, processed, end)


def _done(rng: Random, system: System, processed: datetime, end: datetime) -> Outcome:
    """Deliver, filter or only store; one in delivery when we look is pending."""
    accepted = "CA" if system.is_enhanced else "AA"
    fate = rng.random()
    if system.direction == "inbound" and fate < _FILTERED + _NOT_FORWARDED:
        status = "F" if fate < _FILTERED else "T"
        return Outcome(status, accepted, processed_at=processed)
    sent = processed + timedelta(seconds=rng.lognormvariate(-2.5, 0.5))
    if sent > end:
        return Outcome("P", processed_at=processed)
    return Outcome("S", accepted, processed_at=processed, sent_at=sent)


def _failed(rng: Random, system: System, category: str, processed: datetime) -> Outcome:
    """Fail with the acknowledgement that belongs to the category; a timeout has none."""
    if category == "timeout":
        gone = processed + 3 * _TIMEOUT
        return Outcome("E", None, None, category, processed, gone, attempts=3)
    letter = "R" if category == "rejected" else "E"
    mode = "C" if system.is_enhanced else "A"
    return Outcome("E", mode + letter, rng.choice(CODES[category]), category, processed)


def _queued(system: System, processed: datetime, sent: datetime, end: datetime) -> Outcome:
    """Wait in the queue until the receiver is back; what still waits when we look is `Q`."""
    attempts = min(1 + int((min(sent, end) - processed) / _RETRY), 32_767)
    if sent > end:
        return Outcome("Q", None, None, "connection", processed, None, attempts)
    accepted = "CA" if system.is_enhanced else "AA"
    return Outcome("S", accepted, None, None, processed, sent, attempts)
