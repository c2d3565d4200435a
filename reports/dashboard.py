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
    wrong = headlines.missed(found.kpis)
    verdict = "ALL TARGETS MET" if not wrong else f"{len(wrong)} OF THE TARGETS MISSED"
    hourly = trends.hourly(day)
    return page(
        f"# {verdict}: dashboard of {found.origin.stanza}",
        headlines.headline(found.kpis, [kpi.name for kpi in found.kpis[:3]]),
        "\n".join(f"> {each}" for each in wrong) or None,
        headlines.board(found.kpis),
        "## The last 24 hours\n\n" + hours(hourly),
        headlines.definitions(headlines.defined(found.kpis)),
        headlines.origin(
            found.origin, {"hours": day.window}, {"messages": int(hourly["messages"].sum())}
        ),
    )
