"""The dashboard: every headline figure, and the last day hour by hour."""

from reports import headlines
from reports.page import page
from reports.performance import hours
from tasks.analytics import trends
from tasks.analytics.findings import Findings


def report(found: Findings) -> str:
    """Return the page; the first line is the verdict, the second the three headlines."""
    day = found.trends
    assert day is not None  # noqa: S101 - a dashboard has one
    title = f"{headlines.targets(found.kpis)}: dashboard of {found.origin.stanza}"
    hourly = trends.hourly(day)
    return page(
        headlines.opening(title, found.kpis, [kpi.name for kpi in found.kpis[:3]]),
        "## The last 24 hours\n\n" + hours(hourly),
        headlines.definitions(headlines.defined(found.kpis)),
        headlines.origin(
            found.origin, {"hours": day.window}, {"messages": int(hourly["messages"].sum())}
        ),
    )
