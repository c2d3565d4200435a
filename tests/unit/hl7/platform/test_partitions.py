"""Months as partitions are named and bounded by them."""

from datetime import UTC, datetime, timedelta, timezone

from tasks.hl7.platform.partitions import Month, month_of, months


def test_a_month_names_its_partition():
    """The name sorts by time."""
    assert Month(2026, 3).partition == "messages_2026_03"


def test_december_is_followed_by_january_of_the_next_year():
    """The year turns."""
    assert Month(2026, 12).next() == Month(2027, 1)
    assert Month(2026, 11).next() == Month(2026, 12)


def test_a_month_begins_at_midnight_in_utc():
    """Bounds do not move with the zone of a session."""
    assert Month(2026, 11).begin == datetime(2026, 11, 1, tzinfo=UTC)


def test_a_moment_belongs_to_the_month_it_has_in_utc():
    """Half past midnight on the first, two hours east, is still the month before."""
    east = timezone(timedelta(hours=2))
    assert month_of(datetime(2026, 12, 1, 0, 30, tzinfo=east)) == Month(2026, 11)


def test_months_include_both_ends():
    """A load from November to February needs four partitions."""
    found = months(datetime(2026, 11, 30, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC))
    assert found == [Month(2026, 11), Month(2026, 12), Month(2027, 1), Month(2027, 2)]


def test_one_moment_needs_one_month():
    """First and last in the same month."""
    moment = datetime(2026, 11, 23, tzinfo=UTC)
    assert months(moment, moment) == [Month(2026, 11)]
