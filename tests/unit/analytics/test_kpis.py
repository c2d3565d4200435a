"""The headline figures and their targets."""

import pytest

from reports.headlines import board, headline, missed, spelled
from tasks.analytics.kpis import Kpi, frame


@pytest.mark.parametrize(
    ("value", "is_floor", "status"),
    [(0.995, True, "met"), (0.985, True, "missed"), (0.985, False, "met"), (None, True, "no data")],
)
def test_a_target_is_met_or_missed_or_unknown(value, is_floor, status):
    """A figure that is not known is not taken for a good one."""
    kpi = Kpi("Success", "share", "of all", value, None, 0.99, is_floor=is_floor)
    assert kpi.status == status


def test_without_a_target_there_is_no_verdict():
    """Volume is neither good nor bad."""
    assert Kpi("Messages", "count", "all", 5.0).status == "-"


@pytest.mark.parametrize("name", ["value", "before"])
def test_a_count_that_is_suppressed_is_not_shown_nor_the_change(name):
    """By the change the other count could be worked out."""
    counts = {"value": 250.0, "before": 200.0}
    kpi = Kpi("Visits", "count", "all", **counts | {name: None}, suppressed=frozenset({name}))
    assert kpi.change is None
    shown = board([kpi])
    assert shown.count("suppressed") == 1
    assert "no data" not in shown
    assert "%" not in shown


def test_a_small_count_of_messages_is_shown():
    """Messages are nobody."""
    assert spelled(Kpi("Messages", "count", "all", 7.0), 7.0) == "7"


def test_what_misses_its_target_is_said_with_the_target():
    """So that a reader needs no table."""
    kpi = Kpi("Processing time", "ms", "p95", 612.0, 500.0, 500.0)
    assert missed([kpi]) == ["Processing time: 612 ms, wanted at most 500 ms"]
    assert headline([kpi], ["Processing time"]) == "**612 ms** processing time (+22.4 %)"


def test_the_frame_has_a_row_a_figure():
    """Every page takes its figures from it."""
    found = frame([Kpi("a", "count", "x", 1.0), Kpi("b", "s", "y", None, None, 900)])
    assert list(found["name"]) == ["a", "b"]
    assert list(found["status"]) == ["-", "no data"]
