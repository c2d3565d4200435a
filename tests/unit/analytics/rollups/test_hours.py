"""Which hours are counted again."""

from datetime import UTC, datetime, timedelta

from tasks.analytics.rollups.hours import SETTLING, chunks, due, span


THROUGH = datetime(2026, 11, 25, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_hours_that_are_not_settled_are_counted_again():
    """A day back from what was counted, up to now."""
    hours = due(THROUGH, THROUGH - HOUR, [])
    assert hours[0] == THROUGH - HOUR - SETTLING
    assert hours[-1] == THROUGH - HOUR
    assert len(hours) == 25


def test_an_hour_that_something_touched_is_counted_however_old():
    """And each hour once."""
    old = THROUGH - timedelta(days=400)
    assert due(THROUGH, THROUGH, [old, old])[0] == old
    assert len(due(THROUGH, THROUGH, [old, old])) == 25


def test_the_hour_that_is_not_over_waits():
    """It is counted when it is."""
    assert THROUGH not in due(THROUGH, THROUGH, [THROUGH, THROUGH + HOUR])


def test_the_first_time_only_hours_with_something_in_them_are_counted():
    """Traffic of forty years ago does not make forty years of hours."""
    old = THROUGH - timedelta(days=14_000)
    assert due(THROUGH, None, [THROUGH - HOUR, old]) == [old, THROUGH - HOUR]


def test_hours_of_a_day_are_one_chunk():
    """From its first hour to the end of its last."""
    first, second = chunks(span(THROUGH - timedelta(hours=8), THROUGH))
    assert first.begin == datetime(2026, 11, 24, 22, tzinfo=UTC)
    assert first.end == second.begin == datetime(2026, 11, 25, tzinfo=UTC)
    assert second.end == THROUGH
