"""When generated messages arrive."""

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tasks.hl7.generator.rhythm import hours, instants, weight


BEGIN = datetime(2026, 11, 2, tzinfo=UTC)  # a Monday
WEEK = BEGIN + timedelta(days=7)


def test_an_ordinary_week_weighs_one_an_hour_on_average():
    """Weights only shift messages, they do not add any."""
    week = [weight(BEGIN + timedelta(hours=h)) for h in range(168)]
    assert sum(week) / 168 == pytest.approx(1.0, abs=0.1)


def test_ten_in_the_morning_weighs_nine_times_three_at_night():
    """Wards and clinics work by day."""
    ratio = weight(BEGIN.replace(hour=10)) / weight(BEGIN.replace(hour=3))
    assert ratio == pytest.approx(9.545, abs=0.01)


def test_sunday_weighs_half_a_monday():
    """Clinics are closed."""
    sunday = BEGIN + timedelta(days=6)
    assert weight(sunday) / weight(BEGIN) == pytest.approx(0.482, abs=0.01)


def test_christmas_weighs_less_than_the_friday_before():
    """25 December 2026 is a Friday as well."""
    christmas = datetime(2026, 12, 25, 10, tzinfo=UTC)
    assert weight(christmas) == pytest.approx(0.55 * weight(christmas - timedelta(days=7)))


def test_a_cut_hour_weighs_as_much_as_its_part():
    """Half past six to eight is a half and a whole hour."""
    begin = BEGIN.replace(hour=6, minute=30)
    parts = list(hours(begin, BEGIN.replace(hour=8), seed=1))
    assert [(at.hour, until.hour) for at, until, _ in parts] == [(6, 7), (7, 8)]
    assert parts[0][2] < parts[1][2]


def test_hours_cover_the_span_without_gap_or_overlap():
    """Each begins where the one before ends."""
    span = list(hours(BEGIN, WEEK, seed=1))
    assert span[0][0] == BEGIN
    assert span[-1][1] == WEEK
    assert all(left[1] == right[0] for left, right in itertools.pairwise(span))
    assert len(span) == 168


@pytest.mark.parametrize("messages", [0, 1, 7, 10_000])
def test_instants_are_exactly_as_many_as_messages(messages):
    """No rounding loses one."""
    assert len(list(instants(messages, BEGIN, WEEK, seed=1))) == messages


def test_instants_are_in_order_and_within_the_span():
    """The queue of what is due relies on it."""
    found = list(instants(5000, BEGIN, WEEK, seed=1))
    assert found == sorted(found)
    assert found[0] >= BEGIN
    assert found[-1] <= WEEK


def test_instants_follow_the_weights():
    """Half a year's Mondays against Sundays, as their weights are, give or take the noise."""
    found = instants(100_000, BEGIN, BEGIN + timedelta(days=26 * 7), seed=1)
    days = Counter(at.weekday() for at in found)
    assert days[6] / days[0] == pytest.approx(0.482, abs=0.05)


def test_a_seed_determines_the_instants():
    """The same gives the same, another gives others."""
    first, again, other = (list(instants(50, BEGIN, WEEK, seed=s)) for s in (1, 1, 2))
    assert first == again
    assert first != other
