"""The span that a report looks at, the one before it, and how both are spelled."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from tasks.control import clock
from tasks.control.errors import Refused


HOUR = timedelta(hours=1)
DAY, WEEK, MONTH = timedelta(days=1), timedelta(days=7), timedelta(days=30)


@dataclass(frozen=True)
class Window:
    """From `begin`, included, to `end`, excluded: whole hours, aware, in UTC."""

    begin: datetime
    end: datetime

    @property
    def prior(self) -> "Window":
        """The span of the same length that ends where this one begins."""
        return Window(self.begin - (self.end - self.begin), self.begin)

    @property
    def hours(self) -> int:
        """How many hours it has."""
        return (self.end - self.begin) // HOUR

    def __str__(self) -> str:
        """Say it in one line."""
        form = "%Y-%m-%d %H:%M"
        return f"{self.begin.strftime(form)} to {self.end.strftime(form)} UTC"


def whole_hour(moment: datetime) -> datetime:
    """Return the last full hour that has ended at an aware moment, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def before(end: datetime, span: timedelta) -> Window:
    """Return the window of a span that ends with the last full hour before `end`.

    Raises:
        Refused: the span is not a whole number of hours, or `end` has no time zone.

    """
    if span < HOUR or span % HOUR or end.tzinfo is None:
        raise Refused(
            "this is no window",
            seen=f"{span} before {end}",
            expected="whole hours before a moment with a time zone",
        )
    last = whole_hour(end)
    return Window(last - span, last)


def require_past(moment: datetime) -> None:
    """See that a moment has come.

    Raises:
        Refused: it lies ahead.

    """
    if moment > clock.now():
        raise Refused(
            "the moment has not come",
            seen=clock.readable(moment),
            expected="now, or one that has passed",
            do="hl7ops forecast tells what is ahead",
        )


def zone(name: str) -> ZoneInfo:
    """Return the time zone that hours of the day, weekdays and days are told in.

    Raises:
        Refused: there is no such time zone.

    """
    if name not in available_timezones():
        raise Refused(
            "there is no such time zone",
            seen=name,
            expected="a name of the IANA database, such as Europe/Zurich",
            do="correct ANALYTICS_TIMEZONE",
        )
    return ZoneInfo(name)
