"""Moments are aware, in UTC, whatever zone they came in."""

from datetime import UTC, datetime, timedelta, timezone

from tasks.control import clock


EVENING = datetime(2026, 11, 23, 23, 30, tzinfo=timezone(timedelta(hours=-5)))


def test_a_moment_is_spelt_in_utc():
    """Names of backups sort by time wherever they were taken."""
    assert clock.stamp(EVENING) == "20261124T043000Z"
    assert clock.readable(EVENING) == "2026-11-24 04:30:00 UTC"


def test_now_knows_its_zone():
    """A moment without a zone would compare with nothing."""
    assert clock.now().tzinfo is UTC
