"""The performance report: how messages did in a week, and hour by hour in the last day."""

from datetime import datetime
from typing import TYPE_CHECKING

from reports import anomalies, headlines, plot
from reports.page import changed, counted, duration, is_known, page, percent, table
from tasks.analytics import trends
from tasks.analytics.findings import Findings
from tasks.analytics.frames import records
from tasks.analytics.messages import figures
from tasks.analytics.messages.reading import Messages
from tasks.analytics.proportions import SMALL
from tasks.analytics.rollups.counting import DEFINITIONS, ROUNDING
from tasks.analytics.window import zone


if TYPE_CHECKING:
    import pandas as pd

HEADLINES = ("Messages, 7 days", "Success, 7 days", "Processing time p95, 24 h")


KINDS = 15
"""Kinds of messages that are listed."""


def report(found: Findings) -> str:
    """Return the page; the first line is the verdict, the second the three headlines."""
    read, day = found.messages, found.trends
    assert read is not None  # noqa: S101 - a performance report has all three
    assert day is not None  # noqa: S101
    assert found.watch is not None  # noqa: S101
    title = f"{_verdict(found)}: performance of {found.origin.stanza}"
    hourly, messages = trends.hourly(day), int(figures.split(read)[0]["messages"].sum())
    return page(
        headlines.opening(title, found.kpis, HEADLINES),
        "## The last 24 hours\n\n" + hours(hourly),
        _headroom(trends.capacity(day, found.origin.limit_ms)),
        "## Seven days of messages\n\n" + _week(read, found.origin.timezone),
        _rates(read),
        _outcomes(read),
        "## What is not as expected\n\n" + anomalies.summary(found.watch),
        "## Connections\n\n" + _connections(read),
        _times(read),
        _waiting(read),
        "## Kinds of messages\n\n" + _kinds(read),
        headlines.definitions(headlines.defined(found.kpis) | _DEFINED),
        headlines.origin(
            found.origin,
            {"messages": read.window, "hours": day.window},
            {"messages": messages},
        ),
    )


def _verdict(found: Findings) -> str:
    if headlines.missed(found.kpis):
        return "INTERFACES OFF TARGET"
    return "NO TRAFFIC" if headlines.unknown(found.kpis) else "INTERFACES ON TARGET"


def hours(hourly: "pd.DataFrame") -> str:
    """Draw processing time, volume and error rate of each hour."""
    said = {"p50": "p50", "p95": "p95", "p99": "p99"}
    times = plot.lines(hourly, "hour", said, "Processing time by hour", "ms")
    volume = plot.lines(hourly, "hour", {"messages": "messages"}, "Messages by hour", "messages")
    rates = hourly.assign(rate=hourly["error_rate"].astype(float) * 100)
    errors = plot.lines(rates, "hour", {"rate": "errors, %"}, "Error rate by hour", "%")
    return page(times, volume, errors).rstrip()


def _headroom(known: trends.Capacity) -> str:
    if known.headroom is None or known.proven_at is None:
        return (
            f"**Capacity headroom: not known.** No hour of 30 days had a p95 within"
            f" {known.limit_ms} ms."
        )
    return (
        f"**Capacity headroom: {percent(known.headroom)}.** The busiest hour of the day had"
        f" {known.busiest:,} messages; {known.proven:,} an hour are proven, at"
        f" {known.proven_at:%Y-%m-%d %H:%M} UTC, the busiest hour of 30 days in which p95 was"
        f" within {known.limit_ms} ms."
    )


def _week(read: Messages, timezone: str) -> str:
    by_hour = figures.by_hour_of_week(read, zone(timezone))
    return plot.week(by_hour, "messages", "Messages by weekday and hour")


def _rates(read: Messages) -> str:
    rows = [
        (
            f"{row['rate']}, by {row['of']}",
            f"{row['count']:,} of {row['n']:,}",
            percent(row["share"], 2),
            f"{percent(row['lo'], 2)} to {percent(row['hi'], 2)}",
            percent(row["share_before"], 2),
            f"fewer than {SMALL}" if row["is_small"] else "-",
        )
        for row in records(figures.rates(read))
    ]
    header = ("rate", "count", "share", "95 % interval", "week before", "note")
    return table(header, rows)


def _outcomes(read: Messages) -> str:
    frame = figures.outcomes(read)
    rows = [
        (
            row["outcome"],
            row["messages"],
            percent(row["share"], 2),
            f"{percent(row['lo'], 2)} to {percent(row['hi'], 2)}",
            percent(row["share_before"], 2),
        )
        for row in records(frame)
    ]
    header = ("outcome, on each connection", "messages", "share", "95 % interval", "week before")
    return table(header, rows)


def _connections(read: Messages) -> str:
    frame = figures.by_connection(read)
    if frame.empty:
        return "No message came on any connection in these two weeks."
    names = list(frame["connection"])
    chart = plot.bars(
        names,
        {"week": list(frame["messages"]), "week before": list(frame["before"])},
        "Messages by connection",
        "messages",
    )
    rows = [
        (
            row["connection"],
            row["messages"],
            changed(row["change"]),
            percent(row["success"], 2) + (" (few)" if row["is_small"] else ""),
            f"{percent(row['lo'], 1)} to {percent(row['hi'], 1)}",
            row["ack_errors"],
            row["ack_rejects"],
            row["timeouts"],
            row["queued"],
        )
        for row in records(frame)
    ]
    header = ("connection", "messages", "change", "success", "95 % interval", "AE", "AR")
    return page(chart, table((*header, "timeout", "queued"), rows)).rstrip()


def _times(read: Messages) -> str:
    rows = [
        (
            row["connection"],
            row["measured"],
            *(_ms(row[name]) for name in ("p50", "p95", "p99", "p95_before")),
            changed(row["change"]),
        )
        for row in records(figures.times(read))
    ]
    header = ("processing time", "measured", "p50", "p95", "p99", "p95, week before", "change")
    return table(header, rows)


def _ms(value: float | None) -> str:
    return f"{value:,.0f} ms" if is_known(value) else "-"


def _waiting(read: Messages) -> str:
    names = dict(zip(read.connections["connection_id"], read.connections["name"], strict=True))
    rows = [
        (
            names.get(row["connection_id"], "(none)"),
            row["queued"],
            row["unfinished"],
            _age(read, row["oldest_queued"]),
        )
        for row in records(read.waiting)
    ]
    if not rows:
        return "Nothing is queued, and nothing unfinished."
    said = counted(sum(row[1] for row in rows), "message")
    return f"{said} queued.\n\n" + table(
        ("connection", "queued", "received or pending", "oldest in the queue"), rows
    )


def _age(read: Messages, oldest: datetime | None) -> str:
    seconds = None if oldest is None else (read.window.end - oldest).total_seconds()
    return duration(seconds) if is_known(seconds) else "-"


def _kinds(read: Messages) -> str:
    every = figures.by_kind(read, ["message_type", "trigger_event"])
    kinds = records(every.head(KINDS))
    rows = [
        (
            f"{row['message_type']}^{row['trigger_event']}",
            row["messages"],
            percent(row["share"]),
            changed(row["change"]),
            row["errors"],
        )
        for row in kinds
    ]
    versions = [
        (row["version"] or "(none)", row["messages"], percent(row["share"]))
        for row in records(figures.by_kind(read, ["version"]))
    ]
    return page(
        table(("type and trigger event", "messages", "share", "change", "errors"), rows),
        f"{counted(len(every) - KINDS, 'rarer kind')} not listed." if len(every) > KINDS else None,
        table(("version", "messages", "share"), versions),
    ).rstrip()


_DEFINED = {
    **{f"{name.replace('_', ' ')}": f"{said}." for name, said in DEFINITIONS.items()},
    "by connection": "every message on each connection counts.",
    "by message": "what sender and control id make one within an hour counts once; it is a success"
    " where all of its connections are, and an error where one is.",
    "processing time": ROUNDING,
    "interval": "Wilson's, 95 %: with fewer messages a share is less sure.",
}
