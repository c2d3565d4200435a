"""What is ahead: the daily volumes of the platform, and a forecast of each with its backtest."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from tasks.analytics.rollups.tables import SCHEMA
from tasks.analytics.source import Session
from tasks.analytics.suppression.cells import is_small
from tasks.analytics.window import DAY, zone
from tasks.control.errors import Refused


if TYPE_CHECKING:
    from tasks.analytics.forecast.model import Forecast

HORIZON = 30
"""Days ahead."""

HISTORY = timedelta(days=3 * 365)
"""What lies further back says little of the next month, and takes long to go through."""

_DAYS = {
    "messages": f"""
select (hour at time zone %(zone)s)::date as day, sum(messages)::bigint as n
from {SCHEMA}.message_hours where hour < %(end)s group by 1 order by 1
""",  # noqa: S608 - names of our own
    "visits": f"""
select (hour at time zone %(zone)s)::date as day, sum(encounters)::bigint as n
from {SCHEMA}.activity_hours where hour < %(end)s group by 1 having sum(encounters) > 0 order by 1
""",  # noqa: S608
    "new patients": f"""
select (hour at time zone %(zone)s)::date as day, sum(patients)::bigint as n
from {SCHEMA}.activity_hours where hour < %(end)s group by 1 having sum(patients) > 0 order by 1
""",  # noqa: S608
}


@dataclass(frozen=True)
class Daily:
    """One volume by the day; a day without any is 0, and days that are not over are left out."""

    name: str
    days: list[date]
    counts: list[float]

    @property
    def counts_people(self) -> bool:
        """Whether 1 to 10 of a day may not be told."""
        return self.name != "messages"


@dataclass(frozen=True)
class Outlook:
    """A volume with its forecast, or why there is none."""

    daily: Daily
    forecast: "Forecast | None"
    refusal: str | None = None


def read(session: Session, as_of: datetime) -> list[Daily]:
    """Read messages, visits and new patients of each full day before a moment.

    Days are those of the reports' time zone; the first day that was counted is left out, since
    nobody knows that it was whole.

    Raises:
        Transient: the source did not answer in time.

    """
    timezone = session.source.timezone
    today = as_of.astimezone(zone(timezone)).date()
    asked = {"zone": timezone, "end": as_of}
    found = []
    for name, query in _DAYS.items():
        rows = session.rows(f"{name} by day", query, asked)
        found.append(_daily(name, dict(rows), today))
    return found


def _daily(name: str, counts: dict[date, int], today: date) -> Daily:
    if not counts:
        return Daily(name, [], [])
    first = max(min(counts) + DAY, today - HISTORY)
    days = [first + timedelta(days=n) for n in range(max((today - first).days, 0))]
    return Daily(name, days, [float(counts.get(day, 0)) for day in days])


def foresee(daily: Daily) -> Outlook:
    """Forecast a volume for thirty days, by the method that its own backtest chooses.

    The seasonal naive repeats the counts of the last week, and of people 1 to 10 are not told.
    """
    from tasks.analytics.forecast.forecast import forecast  # noqa: PLC0415 - a second
    from tasks.analytics.forecast.series import series  # noqa: PLC0415

    try:
        made = forecast(series(daily.days, daily.counts), HORIZON)
    except Refused as error:
        return Outlook(daily, None, str(error))
    if made.is_fallback and daily.counts_people and any(is_small(n) for n in daily.counts[-7:]):
        return Outlook(daily, None, f"{made.reason}, and days of last week had 1 to 10")
    return Outlook(daily, made)
