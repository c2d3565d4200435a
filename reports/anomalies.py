"""The anomalies: what is not as expected now, since when, and by which rule that is said."""

from reports import headlines, plot
from reports.page import counted, details, duration, page, percent, table
from tasks.analytics.anomalies.model import Episode, Method
from tasks.analytics.findings import Findings
from tasks.analytics.watch import Watch
from tasks.analytics.window import HOUR


SHOWN_HOURS = 168


def report(found: Findings) -> str:
    """Return the page; the first line is the verdict, the second the three headlines."""
    seen = found.watch
    assert seen is not None  # noqa: S101 - an anomalies report has one
    recent = seen.recent()
    return page(
        f"# {_verdict(seen)}: messages of {found.origin.stanza}",
        f"**{counted(len(recent), 'episode')}** in 24 hours ·"
        f" **{counted(len(seen.silent), 'connection')}** in silence ·"
        f" **{_expected(seen):.1f}** episodes expected of chance in six weeks",
        summary(seen),
        "## The last seven days\n\n" + _drawn(seen),
        "## Episodes of six weeks\n\n" + _history(seen),
        "## By which rule\n\n" + _rules(seen),
        headlines.definitions(DEFINED),
        headlines.origin(
            found.origin,
            {"hours": seen.window},
            {"messages": int(seen.hours["n"].sum())},
            is_compared=False,
        ),
    )


def _verdict(seen: Watch) -> str:
    if seen.hours.empty:
        return "NOTHING TO EXPECT YET"
    return "NOT AS EXPECTED" if seen.recent() or seen.silent else "AS EXPECTED"


def beside(seen: Watch) -> str:
    """Return what a verdict on targets has to say besides; nothing where all is as expected."""
    if seen.silent:
        return f", SILENT CONNECTIONS: {len(seen.silent)}"
    high = [episode for _, episode in seen.recent() if episode.severity == "high"]
    return f", NOT AS EXPECTED: {len(high)}" if high else ""


def summary(seen: Watch) -> str:
    """Return what is not as expected now, as two tables; for other reports as well."""
    rows = [_told(kind, episode) for kind, episode in seen.recent()]
    header = ("quantity", "began", "last hour", "peak", "|z|", "severity", "then", "expected")
    silent = [
        (each.connection, f"{each.since:%Y-%m-%d %H:%M}", f"{each.expected:.0f}", each.reason)
        for each in seen.silent
    ]
    return page(
        table(header, rows) if rows else "No episode in the last 24 hours.",
        table(("silent connection", "since", "messages due", "why it is told"), silent)
        if silent
        else "No connection is silent that should not be.",
    ).rstrip()


def _told(kind: str, episode: Episode) -> tuple[str, ...]:
    return (
        kind,
        f"{episode.start:%Y-%m-%d %H:%M}",
        f"{episode.end:%Y-%m-%d %H:%M}",
        f"{episode.peak:%Y-%m-%d %H:%M}",
        f"{episode.score:.1f}",
        episode.severity,
        _spelled(kind, episode.observed),
        _spelled(kind, episode.expected),
    )


def _spelled(kind: str, value: float) -> str:
    """Spell a value in the unit of its quantity."""
    if kind == "error rate":
        return percent(value, 2)
    return duration(value) if kind == "processing time p95" else f"{value:,.0f}"


def _expected(seen: Watch) -> float:
    return sum(each.expected_false_alarms for each in seen.kinds.values())


def _drawn(seen: Watch) -> str:
    import pandas as pd  # noqa: PLC0415 - half a second

    if seen.hours.empty:
        return "No message came in six weeks."
    hours = pd.date_range(end=seen.window.end - HOUR, periods=SHOWN_HOURS, freq="h")
    counts = seen.hours.set_index("hour")["n"].reindex(hours, fill_value=0)
    last = pd.DataFrame({"hour": hours, "n": counts.to_numpy()})
    return plot.lines(last, "hour", {"n": "messages"}, "Messages by hour, seven days", "messages")


def _history(seen: Watch) -> str:
    rows = [
        _told(kind, episode)
        for kind, anomalies in seen.kinds.items()
        for episode in anomalies.episodes
    ]
    if not rows:
        return "None."
    header = ("quantity", "began", "last hour", "peak", "|z|", "severity", "then", "expected")
    return details(counted(len(rows), "episode"), table(header, rows))


def _rules(seen: Watch) -> str:
    """Say each rule once, with what it is used for."""
    rules: dict[Method, list[str]] = {}
    for kind, each in seen.kinds.items():
        rules.setdefault(each.method, []).append(f"{kind} ({each.points:,} hours)")
    return page(
        *(
            f"**{', '.join(kinds)}**\n\n- {rule.formula}\n- {rule.baseline}\n- Expected where"
            f" nothing is wrong: {rule.expected_false_alarms_per_1000:.2f} episodes in 1,000 hours."
            for rule, kinds in rules.items()
        )
    ).rstrip()


DEFINED = {
    "episode": "one alert: from the first hour that stands out to the last, with its peak.",
    "severity": "medium where |z| passes 2, high where it passes 3.",
    "silence": "a connection without a message where chance would leave none out of as many as"
    " were due less than once in a thousand times; told by the second hour at the latest where"
    " seven or more messages an hour are usual.",
    "error rate": "an hour of fewer than 30 messages is not judged.",
}
