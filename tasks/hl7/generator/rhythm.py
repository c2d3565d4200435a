"""When generated messages arrive: by the hour of the day, the day of the week, and some chance."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random


HOURS = (
    0.30, 0.25, 0.22, 0.22, 0.28, 0.45, 0.85, 1.40, 1.85, 2.05, 2.10, 1.95,
    1.60, 1.75, 1.85, 1.70, 1.45, 1.15, 0.90, 0.75, 0.62, 0.52, 0.44, 0.36,
)  # fmt: skip
"""Weight of each hour of a day, in UTC; wards and clinics work from seven to five."""

WEEKDAYS = (1.14, 1.09, 1.06, 1.05, 1.02, 0.62, 0.55)
"""Weight of each day from Monday on."""

HOLIDAYS = {(1, 1): 0.6, (12, 25): 0.55, (12, 26): 0.65}
"""Weight by month and day, on top of the day of the week."""

_DAY_NOISE = 0.05
_HOUR_NOISE = 0.06

_HOUR = timedelta(hours=1)


def weight(hour: datetime) -> float:
    """Return the expected weight of an hour, 1 on average over an ordinary week."""
    holiday = HOLIDAYS.get((hour.month, hour.day), 1.0)
    return HOURS[hour.hour] * WEEKDAYS[hour.weekday()] * holiday


def hours(begin: datetime, end: datetime, seed: int) -> Iterator[tuple[datetime, datetime, float]]:
    """Yield the hours from `begin` to `end` with their weights; the first and last may be cut."""
    rng = Random(seed)  # noqa: S311 - repeatable is what is wanted
    day, day_noise = None, 1.0
    at = begin
    while at < end:
        if at.date() != day:
            day, day_noise = at.date(), rng.lognormvariate(0, _DAY_NOISE)
        until = min(at.replace(minute=0, second=0, microsecond=0) + _HOUR, end)
        noise = day_noise * rng.lognormvariate(0, _HOUR_NOISE)
        yield at, until, weight(at) * noise * ((until - at) / _HOUR)
        at = until


def instants(messages: int, begin: datetime, end: datetime, seed: int) -> Iterator[datetime]:
    """Yield exactly as many instants as there are messages, in order of time.

    Each hour gets its share by weight, rounded so that no message is lost; within the hour they
    fall by chance. Memory is that of one hour's instants and of the hours' weights.
    """
    rng = Random(seed + 1)  # noqa: S311 - likewise
    span = list(hours(begin.astimezone(UTC), end.astimezone(UTC), seed))
    total = sum(share for _, _, share in span)
    reached, given = 0.0, 0
    for index, (at, until, share) in enumerate(span, start=1):
        reached += share
        upto = messages if index == len(span) else int(messages * reached / total)
        seconds = (until - at).total_seconds()
        for offset in sorted(rng.random() for _ in range(upto - given)):
            yield at + timedelta(seconds=offset * seconds)
        given = upto
