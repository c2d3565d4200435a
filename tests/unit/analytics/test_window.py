"""Windows are whole hours before a moment."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.analytics.window import Window, before, zone
from tasks.control.errors import Refused


AT = datetime(2026, 11, 25, 6, 30, 59, tzinfo=UTC)


def test_a_window_ends_with_the_last_full_hour():
    """The hour that is not over does not count."""
    window = before(AT, timedelta(days=7))
    assert window.end == datetime(2026, 11, 25, 6, tzinfo=UTC)
    assert window.begin == datetime(2026, 11, 18, 6, tzinfo=UTC)
    assert window.hours == 168


def test_the_window_before_is_as_long_and_ends_where_this_one_begins():
    """No hour is in both, and none is in neither."""
    window = before(AT, timedelta(days=1))
    assert window.prior == Window(window.begin - timedelta(days=1), window.begin)


@pytest.mark.parametrize("span", [timedelta(minutes=90), timedelta(0), timedelta(minutes=30)])
def test_a_span_that_is_no_whole_hours_is_refused(span):
    """Rollups count hours."""
    with pytest.raises(Refused, match="whole hours"):
        before(AT, span)


def test_a_moment_without_a_time_zone_is_refused():
    """It could be any hour."""
    with pytest.raises(Refused, match="time zone"):
        before(AT.replace(tzinfo=None), timedelta(days=1))


def test_a_time_zone_that_is_not_there_is_refused_by_name():
    """With the setting to correct."""
    with pytest.raises(Refused, match="ANALYTICS_TIMEZONE"):
        zone("Europe/Nowhere")
    assert zone("Europe/Zurich").key == "Europe/Zurich"
