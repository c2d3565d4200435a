"""Connections that fall silent."""

# ruff: noqa: DTZ001 - series come without a time zone

from datetime import datetime, timedelta

import pandas as pd

from tasks.analytics.anomalies.silence import silences, silent_connections


START = datetime(2026, 1, 5)
HOUR = timedelta(hours=1)
NOON = datetime(2026, 2, 3, 12)


def traffic(until, sends):
    """Return messages by the hour, from the start until a moment."""
    moments = [START + number * HOUR for number in range(int((until - START) / HOUR))]
    return {moment: n for moment in moments if (n := sends(moment))}


def by_day(moment):
    """Send from six to twenty o'clock."""
    return 6 if 6 <= moment.hour < 20 else 0


def on_workdays(moment):
    """Rest at weekends."""
    return by_day(moment) if moment.weekday() < 5 else 0


def frame(**connections):
    """Lay connections below each other."""
    rows = [(hour, name, n) for name, each in connections.items() for hour, n in each.items()]
    return pd.DataFrame(rows, columns=["hour", "connection", "n"])


def test_a_connection_that_stops_at_noon_is_told_within_two_hours():
    """Six an hour were due, so that two silent hours are no chance."""
    lab = traffic(NOON, by_day)
    (found,) = silent_connections(frame(lab=lab), NOON + 2 * HOUR)
    assert (found.connection, found.since, found.told) == ("lab", NOON, NOON + HOUR)
    assert found.expected == 12
    assert found.probability < 1e-3
    assert "12 messages were due" in found.reason


def test_the_hour_that_lasts_is_not_judged():
    """It may still bring its messages."""
    lab = traffic(NOON, by_day)
    assert silent_connections(frame(lab=lab), NOON + timedelta(minutes=59)) == []


def test_nights_and_weekends_are_no_silence():
    """Nothing is due at an hour at which the connection rests."""
    assert silences("lab", traffic(NOON, by_day), NOON.replace(hour=11)) == []
    assert silences("lab", traffic(NOON, on_workdays), NOON.replace(hour=11)) == []


def test_the_first_weekend_of_a_connection_is_no_silence():
    """Workdays say nothing of it."""
    saturday = datetime(2026, 1, 10, 18)
    assert silences("lab", traffic(saturday, on_workdays), saturday) == []


def test_an_outage_is_not_learnt():
    """The second is told as early as the first."""
    lab = traffic(NOON, by_day)
    lab = {hour: n for hour, n in lab.items() if not (hour.day == 27 and 12 <= hour.hour < 18)}
    found = silences("lab", lab, NOON + HOUR)
    assert [each.since for each in found] == [datetime(2026, 1, 27, 12), NOON]


def test_a_connection_that_often_rests_is_told_by_the_length_of_its_silence():
    """One message a day, and then none for more than two."""
    rare = traffic(NOON, lambda moment: moment.hour == 9)
    found = silences("rare", rare, NOON + 72 * HOUR)
    assert [each.since for each in found] == [datetime(2026, 2, 3, 10)]
    assert "longest silence" in found[0].reason


def test_a_frame_without_rows_names_nobody():
    """There is no connection to be silent."""
    assert silent_connections(frame(), NOON) == []
    assert silences("none", {}) == []
