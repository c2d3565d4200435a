"""Figures of messages: pure functions over what was read."""

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tasks.analytics.frames import records
from tasks.analytics.messages.reading import Messages
from tasks.analytics.proportions import SMALL, change, share, wilson
from tasks.analytics.rollups.tables import NOBODY


if TYPE_CHECKING:
    import pandas as pd

OUTCOMES = {
    "sent": "sent",
    "transformed": "processed, forwarded to nobody",
    "filtered": "filtered",
    "queued": "queued",
    "unfinished": "received or pending",
    "ack_errors": "error: AE, the content",
    "ack_rejects": "error: AR, rejected",
    "timeouts": "error: timeout",
    "other_errors": "error: other",
}
"""How a message on a connection can stand; together they are all messages."""

COMPLETE = ("sent", "transformed", "filtered")
"""What counts as success, as integration engines count it."""


def split(read: Messages) -> tuple["pd.DataFrame", "pd.DataFrame"]:
    """Return the hours of the window, and those of the one before it."""
    is_now = read.hours["hour"] >= read.window.begin
    return read.hours[is_now], read.hours[~is_now]


def outcomes(read: Messages) -> "pd.DataFrame":
    """Return how messages stand, each on its connection: count, share, 95 % interval, change.

    Returns:
        outcome, messages, share, lo, hi, share_before; the shares add up to one.

    """
    import pandas as pd  # noqa: PLC0415 - half a second

    now, before = split(read)
    every, earlier = int(now["messages"].sum()), int(before["messages"].sum())
    rows = [
        (
            said,
            count,
            share(count, every),
            *wilson(count, every),
            share(int(before[name].sum()), earlier),
        )
        for name, said in OUTCOMES.items()
        for count in [int(now[name].sum())]
    ]
    columns = ["outcome", "messages", "share", "lo", "hi", "share_before"]
    return pd.DataFrame(rows, columns=columns)


def rates(read: Messages) -> "pd.DataFrame":
    """Return success, error, filtered and queued, once per message and once per connection.

    Per connection counts every row; per message counts what sender and control id make one, and
    calls it complete only where all of its rows are, and failed where one is.

    Returns:
        rate, of, n, count, share, lo, hi, is_small, share_before.

    """
    import pandas as pd  # noqa: PLC0415

    now, before = (_totals(frame) for frame in split(read))
    whole = {bool(row["is_prior"]): row for row in records(read.outcomes)}
    rows = []
    for rate, columns in {
        "success": COMPLETE,
        "error": ("errors",),
        "filtered": ("filtered",),
        "queued": ("queued",),
    }.items():
        counts = [sum(totals[c] for c in columns) for totals in (now, before)]
        each = [totals["messages"] for totals in (now, before)]
        rows.append(_rate(rate, "connection", counts, each))
    for rate, column in {"success": "complete", "error": "failed", "open": "open"}.items():
        counts = [int(whole[p][column]) if p in whole else 0 for p in (False, True)]
        each = [int(whole[p]["messages"]) if p in whole else 0 for p in (False, True)]
        rows.append(_rate(rate, "message", counts, each))
    return pd.DataFrame(rows)


def _totals(frame: "pd.DataFrame") -> dict[str, int]:
    return {name: int(frame[name].sum()) for name in ("messages", *OUTCOMES, "errors")}


def _rate(rate: str, of: str, counts: list[int], each: list[int]) -> dict[str, object]:
    low, high = wilson(counts[0], each[0])
    return {
        "rate": rate,
        "of": of,
        "n": each[0],
        "count": counts[0],
        "share": share(counts[0], each[0]),
        "lo": low,
        "hi": high,
        "is_small": each[0] < SMALL,
        "share_before": share(counts[1], each[1]),
    }


def by_connection(read: Messages) -> "pd.DataFrame":
    """Return each connection: volume, success with its interval, and what failed.

    Returns:
        connection, messages, before, change, success, lo, hi, is_small, filtered, queued,
        ack_errors, ack_rejects, timeouts, other_errors.

    """
    import pandas as pd  # noqa: PLC0415

    now, before = split(read)
    names, rows = _names(read), []
    told = [name for name in list(OUTCOMES)[2:] if name != "unfinished"]
    for key in sorted(set(read.hours["connection_id"]), key=lambda k: str(names.get(k, k))):
        counts = _totals(now[now["connection_id"] == key])
        n, success = counts["messages"], sum(counts[c] for c in COMPLETE)
        earlier = int(before.loc[before["connection_id"] == key, "messages"].sum())
        low, high = wilson(success, n)
        row = {"connection": names.get(key, str(key)), "messages": n, "before": earlier}
        row |= {"change": change(n, earlier), "success": share(success, n), "lo": low, "hi": high}
        row |= {"is_small": n < SMALL}
        row |= {name: counts[name] for name in told}
        rows.append(row)
    columns = ["connection", "messages", "before", "change", "success", "lo", "hi", "is_small"]
    return pd.DataFrame(rows, columns=[*columns, *told])


def times(read: Messages) -> "pd.DataFrame":
    """Return the processing time of each connection and of all, beside the period before.

    Returns:
        connection, measured, p50, p95, p99, p95_before (milliseconds), change (of p95).

    """
    import pandas as pd  # noqa: PLC0415

    names = _names(read)
    before = {row["key"]: row["p95"] for row in records(read.processing_before)}
    whole = {row["key"]: row["p95"] for row in records(read.overall_before)}
    found = [
        (names.get(row["key"], str(row["key"])), row, before.get(row["key"]))
        for row in records(read.processing)
    ]
    found.sort(key=lambda each: each[0])
    found += [("all", row, whole.get(row["key"])) for row in records(read.overall)]
    rows = [
        (name, row["measured"], row["p50"], row["p95"], row["p99"], p95, _grown(row["p95"], p95))
        for name, row, p95 in found
    ]
    columns = ["connection", "measured", "p50", "p95", "p99", "p95_before", "change"]
    return pd.DataFrame(rows, columns=columns)


def _grown(now: int, before: int | None) -> float | None:
    return None if before is None else change(now, before)


def _names(read: Messages) -> dict[int, str]:
    """Return the name of each connection, and of none."""
    known = read.connections
    return {NOBODY: "(none)", **dict(zip(known["connection_id"], known["name"], strict=True))}


def by_kind(read: Messages, columns: list[str]) -> "pd.DataFrame":
    """Return volume by type, trigger event or version, the most frequent first.

    Args:
        read: what was read.
        columns: of `message_type`, `trigger_event`, `version`.

    Returns:
        the columns, messages, share, errors, before, change; the shares add up to one.

    """
    kinds = read.kinds
    summed = kinds.groupby(["is_prior", *columns], as_index=False)[["messages", "errors"]].sum()
    now = summed[~summed["is_prior"].astype(bool)].drop(columns="is_prior")
    before = summed[summed["is_prior"].astype(bool)][[*columns, "messages"]]
    found = now.merge(before.rename(columns={"messages": "before"}), how="outer", on=columns)
    found = found.fillna({"messages": 0, "errors": 0, "before": 0})
    found = found.astype({"messages": int, "errors": int, "before": int})
    every = int(found["messages"].sum())
    found["share"] = [share(n, every) for n in found["messages"]]
    found["change"] = [
        change(n, b) for n, b in zip(found["messages"], found["before"], strict=True)
    ]
    order = [*columns, "messages", "share", "errors", "before", "change"]
    ascending = [False, *[True] * len(columns)]
    found = found.sort_values(["messages", *columns], ascending=ascending, ignore_index=True)
    return found[order]


def by_hour_of_week(read: Messages, timezone: ZoneInfo) -> "pd.DataFrame":
    """Return the messages of each weekday and hour of the day, in the reports' time zone.

    Returns:
        weekday (0 is Monday), hour, messages; 168 rows at most.

    """
    now, _ = split(read)
    local = now["hour"].dt.tz_convert(timezone)
    counted = now.assign(weekday=local.dt.day_of_week, hour=local.dt.hour)
    return counted.groupby(["weekday", "hour"], as_index=False)[["messages"]].sum()
