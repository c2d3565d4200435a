"""Where a recovery is to end, as an operator says it, read strictly."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Literal, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tasks.control.errors import Refused
from tasks.postgres import lsn


Kind = Literal["latest", "immediate", "time", "lsn", "xid", "name", "backup"]

FORMS = (
    "latest, immediate, a time with its zone such as 2026-11-24T03:00:00+01:00 or"
    " '2026-11-24 03:00 Europe/Berlin', lsn:0/5000060, xid:1234, name:RESTORE-POINT,"
    " or the id of a backup"
)

_ID = re.compile(r"(full|differential|incremental|snapshot)-\d{8}T\d{6}Z")
_ZONED = re.compile(r"(?P<local>.+?)\s+(?P<zone>[A-Za-z_]+(/[A-Za-z_+-]+)*[A-Za-z0-9_+-]*)")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}.*")

FIRST_XID = 3
"""Lower ones are not of transactions (FirstNormalTransactionId of PostgreSQL)."""

LONGEST_NAME = 63
"""A restore point's name has at most so many bytes (MAXFNAMELEN of PostgreSQL, less its end)."""


@dataclass(frozen=True)
class Target:
    """The end of a recovery.

    Args:
        kind: `latest`, all that is archived; `immediate`, as soon as the copy is consistent;
            `backup`, the moment that a backup was sealed in; else what `value` is.
        value: as PostgreSQL spells it; a time in UTC, a backup's id.
        at: the time of a `time`.
        inclusive: whether what happened exactly there is included.
        timeline: along which it goes; None: the latest that leads there.

    """

    kind: Kind = "latest"
    value: str = ""
    at: datetime | None = None
    inclusive: bool = True
    timeline: int | None = None

    def __str__(self) -> str:
        """Spell it for a person."""
        if self.kind in ("latest", "immediate"):
            return self.kind
        said = self.value if self.kind in ("time", "backup") else f"{self.kind} {self.value}"
        return said if self.inclusive else f"just before {said}"


def parse(
    text: str,
    local: tzinfo = UTC,
    *,
    inclusive: bool = True,
    timeline: int | None = None,
) -> Target:
    """Read a target.

    Args:
        text: in one of `FORMS`.
        local: the zone of this machine; a time without a zone may have been meant in it.
        inclusive: whether what happened exactly there is included.
        timeline: along which it goes; None: the latest that leads there.

    Raises:
        Refused: it is none, has no zone, or is a time that a clock shows twice or never.

    """
    said = text.strip()
    kind, _, value = said.partition(":")
    if said in ("latest", "immediate"):
        if not inclusive:
            raise _none(text, f"{said} has nothing that could be left out")
        return Target("latest" if said == "latest" else "immediate", timeline=timeline)
    if _ID.fullmatch(said):
        return Target("backup", said, inclusive=inclusive, timeline=timeline)
    if kind in _READ:
        return Target(
            cast("Kind", kind), _READ[kind](value.strip(), text), None, inclusive, timeline
        )
    if _TIME.match(said):
        at = _time(said, local)
        return Target("time", f"{at:%Y-%m-%d %H:%M:%S.%f}+00", at, inclusive, timeline)
    raise _none(text, "nothing that a recovery could end at")


def _lsn(value: str, text: str) -> str:
    if not re.fullmatch(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}", value):
        raise _none(text, "no position in the WAL")
    return lsn.spell(lsn.parse(value))


def _xid(value: str, text: str) -> str:
    if not re.fullmatch(r"\d{1,20}", value) or int(value) < FIRST_XID:
        raise _none(text, "no id of a transaction")
    return str(int(value))


def _name(value: str, text: str) -> str:
    if not value or len(value.encode()) > LONGEST_NAME or not value.isprintable():
        raise _none(text, "no name of a restore point")
    return value


_READ: dict[str, Callable[[str, str], str]] = {"lsn": _lsn, "xid": _xid, "name": _name}


def _time(said: str, local: tzinfo) -> datetime:
    """Read a time with its zone, and return it in UTC."""
    named = _ZONED.fullmatch(said)
    if named and named["zone"] != "Z":
        return _only(_naive(named["local"], said), _zone(named["zone"], said), said)
    read = _read(said)
    if read.tzinfo is None:
        raise Refused(
            "a time needs its zone",
            seen=said,
            expected=" or ".join(_spelled(each) for each in _readings(read, (UTC, local))),
            do="say which of them is meant",
        )
    return read.astimezone(UTC)


def _read(said: str) -> datetime:
    try:
        return datetime.fromisoformat(said)
    except ValueError:
        raise _none(said, "no time") from None


def _naive(said: str, text: str) -> datetime:
    read = _read(said)
    if read.tzinfo is not None:
        raise _none(text, "two zones")
    return read


def _zone(name: str, text: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _none(text, f"no zone is called {name}") from None


def _only(read: datetime, zone: tzinfo, said: str) -> datetime:
    """Return what a clock of a zone means by a time; it may show it twice, or never."""
    found = _readings(read, (zone,))
    if len(found) == 1:
        return found[0].astimezone(UTC)
    raise Refused(
        "the clock shows this time twice" if found else "the clock never shows this time",
        seen=said,
        expected=" or ".join(map(_spelled, found)) or "a time before or after the clock is set",
        do="say it with its offset from UTC",
    )


def _readings(read: datetime, zones: Sequence[tzinfo]) -> list[datetime]:
    """Return the moments, in order, at which clocks of zones show a time."""
    found = {
        moment.astimezone(UTC): moment
        for zone in zones
        for fold in (0, 1)
        for moment in [read.replace(tzinfo=zone, fold=fold)]
        if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == read
    }
    return [found[at] for at in sorted(found)]


def _spelled(moment: datetime) -> str:
    return moment.isoformat(sep=" ")


def _none(text: str, why: str) -> Refused:
    return Refused(f"that is no target: {why}", seen=text, expected=FORMS, do="correct it")
