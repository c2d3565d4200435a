"""The executive report: is the platform well, is it used, and what is ahead."""

from datetime import timedelta

from reports import anomalies, forecast, headlines, people, plot
from reports.page import page
from tasks.analytics.findings import Findings
from tasks.analytics.messages import figures
from tasks.analytics.messages.reading import Messages
from tasks.analytics.patients.disclosure import KNOWN
from tasks.analytics.patients.reading import ACTIVE


HEADLINES = ("Messages, 7 days", "Success, 7 days", "Visits, 30 days")


def report(found: Findings) -> str:
    """Return the page; the first line is the verdict, the second the three headlines."""
    read, patients, shown = found.messages, found.patients, found.disclosure
    assert read is not None  # noqa: S101 - an executive report has all four
    assert patients is not None  # noqa: S101
    assert shown is not None  # noqa: S101
    assert found.watch is not None  # noqa: S101
    verdict = headlines.targets(found.kpis) + anomalies.beside(found.watch)
    title = f"{verdict}: executive report of {found.origin.stanza}"
    return page(
        headlines.opening(title, found.kpis, HEADLINES),
        "## Messages\n\n" + _days(read),
        "## What is not as expected\n\n" + anomalies.summary(found.watch),
        "## What is ahead\n\n" + forecast.summary(found.outlooks),
        "## Patients\n\n" + people.totals(shown),
        people.ages(shown),
        "## Visits\n\n" + people.visits(patients, shown),
        people.SUPPRESSION,
        headlines.definitions(headlines.defined(found.kpis) | {"active patient": ACTIVE}),
        headlines.origin(
            found.origin,
            {"messages": read.window, "patients": patients.window},
            {
                "messages": int(figures.split(read)[0]["messages"].sum()),
                "patients": shown.count(KNOWN),
            },
        ),
    )


def _days(read: Messages) -> str:
    """Draw each day of the window beside the same day of the week before."""
    days = range(read.window.hours // 24)
    counts = {}
    for name, frame, window in zip(
        ("this week", "week before"),
        figures.split(read),
        (read.window, read.window.prior),
        strict=True,
    ):
        summed = frame.groupby((frame["hour"] - window.begin).dt.days)["messages"].sum().to_dict()
        counts[name] = [int(summed.get(day, 0)) for day in days]
    names = [f"{read.window.begin + timedelta(days=day):%a %d %b}" for day in days]
    return plot.bars(names, counts, "Messages by day, and the week before", "messages")
