"""HL7 time stamps: `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]` (v2.5, 2.A.22)."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache


_STAMP = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,6})\d*)?)?)?)?)?)?"
    r"(?:([+-])(\d\d)(\d\d))?$"
)


@lru_cache(maxsize=65536)
def moment(text: str) -> datetime | None:
    """Return the moment that a time stamp means, or None where there is no such moment.

    A part that is left out counts as its lowest; a stamp without a zone is read as UTC.
    """
    match = _STAMP.match(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, rest, sign, hours, minutes = match.groups()
    zone = UTC
    if sign:
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        if offset >= timedelta(hours=24):
            return None
        zone = timezone(offset if sign == "+" else -offset)
    try:
        return datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((rest or "0").ljust(6, "0")),
            tzinfo=zone,
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def day(text: str) -> date | None:
    """Return the calendar day of a time stamp as it was written, or None."""
    found = moment(text[:8])
    return found.date() if found else None
