"""Believable HL7 traffic of its own: a stream of messages that a seed determines.

Ten thousand messages or ten million: memory is that of the visits that are open at one time.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from tasks.control.errors import Refused
from tasks.hl7.generator import rhythm
from tasks.hl7.generator.traffic import Generated, Traffic


DAYS = 90
"""Days that a run covers unless told otherwise: a forecast needs eight weeks and some."""


CENTURY_DAYS = 36_525

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Traffic lies between these; patients are born up to a century before."""


def generate(messages: int, *, seed: int, end: datetime, days: float = DAYS) -> Iterator[Generated]:
    """Return exactly so many messages of the days before `end`, nearly in order of time.

    The same arguments give the same bytes. An acknowledgement comes when it was due, which may be
    a few messages late.

    Raises:
        Refused: a number is negative, `end` has no time zone, or it is not of our time.

    """
    is_counted = messages >= 0 and seed >= 0 and 0 < days <= CENTURY_DAYS
    if not is_counted or end.tzinfo is None or not _is_of_our_time(end, days):
        raise Refused(
            "this traffic cannot be generated",
            seen=f"{messages} messages of {days} days up to {end}, seed {seed}",
            expected="numbers that are not negative, up to a century of days, and an end with a"
            f" time zone; all of it from {EARLIEST.year} to {LATEST.year}",
            do="correct the numbers",
        )
    return _stream(messages, seed, end.astimezone(UTC), timedelta(days=days))


def _is_of_our_time(end: datetime, days: float) -> bool:
    return EARLIEST + timedelta(days=days) <= end <= LATEST


def _stream(messages: int, seed: int, end: datetime, span: timedelta) -> Iterator[Generated]:
    traffic = Traffic(seed, end - span, end)
    for at in rhythm.instants(messages, end - span, end, seed):
        yield traffic.next(at)


def bytes_of(stream: Iterable[Generated]) -> Iterator[bytes]:
    """Yield the messages alone, each as it went over the wire, to be written to a file."""
    for generated in stream:
        yield generated.raw
