"""The forecast: what is ahead, by which method, and how good that was on the past."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports import headlines, plot
from reports.page import details, page, percent, table
from tasks.analytics.findings import Findings
from tasks.analytics.forecast.candidates import IN_WORDS
from tasks.analytics.forecast.model import Backtest, Forecast
from tasks.analytics.outlook import Outlook
from tasks.analytics.suppression.cells import is_small


if TYPE_CHECKING:
    import pandas as pd

SHOWN_DAYS = 90
"""Days of the past that are drawn before what is ahead."""


def report(found: Findings) -> str:
    """Return the page of all volumes; the first line is the verdict."""
    made = [each for each in found.outlooks if each.forecast is not None]
    better = [each for each in made if each.forecast and not each.forecast.is_fallback]
    verdict = (
        f"{len(better)} OF {len(found.outlooks)} VOLUMES FORECAST BETTER THAN BY LAST WEEK"
        if made
        else "NOTHING CAN BE FORECAST YET"
    )
    return page(
        f"# {verdict}: {found.origin.stanza}",
        " · ".join(_ahead(each) for each in found.outlooks[:3]),
        *(f"## {each.daily.name.capitalize()}\n\n{section(each)}" for each in found.outlooks),
        headlines.definitions(DEFINED),
        headlines.origin(
            found.origin,
            {},
            {f"{each.daily.name}, days": len(each.daily.days) for each in found.outlooks},
        ),
    )


def summary(outlooks: Sequence[Outlook]) -> str:
    """Return one volume drawn, and all of them in a table, for a report of other things as well."""
    rows = [
        (
            each.daily.name,
            *_week_ahead(each.forecast),
            each.forecast.method,
            _figure(each.forecast.backtest.mase),
            _figure(each.forecast.backtest.naive_mase),
        )
        if each.forecast
        else (each.daily.name, "-", "-", "no forecast", "-", "-")
        for each in outlooks
    ]
    header = ("next 7 days", "expected", "80 % interval of a day", "method", "MASE", "last week's")
    first = outlooks[0] if outlooks else None
    drawn = _drawn(first) if first and first.forecast else None
    refused = [f"- {each.daily.name}: {each.refusal}" for each in outlooks if each.refusal]
    return page(drawn, table(header, rows), "\n".join(refused)).rstrip()


def section(outlook: Outlook) -> str:
    """Return one volume: drawn, its backtest, and its days."""
    made = outlook.forecast
    if made is None:
        return f"No forecast: {outlook.refusal}"
    rows = [
        (
            f"{each.date:%a %Y-%m-%d}",
            f"{each.mean:,.0f}",
            f"{each.lo80:,.0f} to {each.hi80:,.0f}",
            f"{each.lo95:,.0f} to {each.hi95:,.0f}",
        )
        for each in made.forecast
    ]
    said = f"**{made.method}**: {IN_WORDS[made.method]}; {made.reason}."
    days = table(("day", "expected", "80 % interval", "95 % interval"), rows)
    return page(_drawn(outlook), said, _backtest(made), details("Day by day", days)).rstrip()


def _drawn(outlook: Outlook) -> str:
    import pandas as pd  # noqa: PLC0415 - half a second

    made = outlook.forecast
    assert made is not None  # noqa: S101 - whoever calls has looked
    daily = outlook.daily
    history = pd.DataFrame({"date": daily.days, "value": daily.counts}).tail(SHOWN_DAYS)
    if daily.counts_people and any(map(is_small, history["value"])):
        # A day that is left out would follow from all others and the month's total.
        history = history.assign(value=None)
    ahead = pd.DataFrame([vars(each) for each in made.forecast])
    name = daily.name
    title = f"{name.capitalize()} a day, and {made.horizon} days ahead with 80 and 95 % intervals"
    return plot.fan(_dated(history), _dated(ahead), title, f"{name} a day")


def _dated(frame: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415

    return frame.assign(date=pd.to_datetime(frame["date"], utc=True))


def _backtest(made: Forecast) -> str:
    test: Backtest = made.backtest
    rows = [
        ("MASE", _figure(test.mase), f"seasonal naive: {_figure(test.naive_mase)}"),
        ("WAPE", "-" if test.wape is None else percent(test.wape), "of the volume"),
        ("in the 80 % interval", percent(test.coverage80), "80 % is right"),
        ("in the 95 % interval", percent(test.coverage95), "95 % is right"),
        ("folds", test.folds, f"origins up to {test.as_of}, {made.horizon} days each"),
        ("history", made.history, f"days; {made.masked} more are masked as outages or gaps"),
    ]
    return table(("backtest", "figure", "beside"), rows)


def _ahead(outlook: Outlook) -> str:
    if outlook.forecast is None:
        return f"no forecast of {outlook.daily.name}"
    week, _ = _week_ahead(outlook.forecast)
    return f"**{week}** {outlook.daily.name} in the next 7 days"


def _week_ahead(made: Forecast) -> tuple[str, str]:
    week = made.forecast[:7]
    low, high = min(each.lo80 for each in week), max(each.hi80 for each in week)
    return f"{sum(each.mean for each in week):,.0f}", f"{low:,.0f} to {high:,.0f}"


def _figure(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.2f}"


DEFINED = {
    "backtest": "the method forecast from earlier days of this series, each time without what came"
    " later; what it missed by makes the widths of the intervals.",
    "MASE": "mean absolute error over that of the seasonal naive within the history (Hyndman and"
    " Koehler 2006); below that of the seasonal naive on the same folds it is worth something.",
    "WAPE": "sum of absolute errors over the sum of the volume.",
    "seasonal naive": "each day is expected to be like the same weekday of the last week.",
    "expected": "the middle of what is likely on a day; of a volume that most days have none of,"
    " a week may well come to more than the middles of its days add up to.",
    "masked": "a day without any, in a series that never comes near zero, is an outage and not a"
    " zero; the day that is not over is left out.",
    "horizon": "never beyond the days that the backtest reached.",
}
