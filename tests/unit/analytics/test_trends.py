"""Performance by the hour, and how much more would go."""

from datetime import UTC, datetime, timedelta

import pandas as pd

from tasks.analytics.trends import Trends, capacity, hourly
from tasks.analytics.window import Window


END = datetime(2026, 11, 25, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def read(volume, times):
    """Return trends of a window of two hours."""
    return Trends(
        Window(END - 2 * HOUR, END),
        pd.DataFrame(volume, columns=["hour", "messages", "errors", "bytes"]),
        pd.DataFrame(times, columns=["key", "measured", "p50", "p95", "p99", "longest"]),
    )


def test_an_hour_without_messages_has_none_and_no_rate():
    """No data is not an error rate of zero."""
    found = hourly(read([(END - HOUR, 200, 10, 5)], [(END - HOUR, 200, 1, 2, 3, 4)]))
    assert list(found["messages"]) == [0, 200]
    assert pd.isna(found["error_rate"][0])
    assert found["error_rate"][1] == 0.05
    assert found["lo"][1] < 0.05 < found["hi"][1]
    assert pd.isna(found["p95"][0])


def test_capacity_is_what_was_seen_to_be_fast_enough():
    """The busiest hour was too slow, so it proves nothing."""
    volume = [(END - 50 * HOUR, 900, 0, 0), (END - 40 * HOUR, 500, 0, 0), (END - HOUR, 400, 0, 0)]
    times = [(hour, n, 1, 700 if n == 900 else 300, 800, 900) for hour, n, _, _ in volume]
    found = capacity(read(volume, times), 500)
    assert (found.proven, found.proven_at, found.busiest) == (500, END - 40 * HOUR, 400)
    assert round(found.headroom, 6) == 0.2


def test_without_a_fast_hour_no_headroom_is_told():
    """Nothing is promised that was not seen."""
    found = capacity(read([(END - HOUR, 400, 0, 0)], [(END - HOUR, 400, 1, 900, 950, 990)]), 500)
    assert (found.proven, found.headroom) == (None, None)
