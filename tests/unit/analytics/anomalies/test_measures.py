"""Counts, times and error rates by the hour."""

# ruff: noqa: DTZ001 - series come without a time zone

import random
from datetime import datetime, timedelta

import pandas as pd
import pytest

from tasks.analytics.anomalies.detect import of_counts, of_errors, of_times
from tasks.analytics.anomalies.rates import Rates


START = datetime(2026, 1, 5)
HOURS = [START + number * timedelta(hours=1) for number in range(700)]


def errors_of(at, errors, n, rate=0.02):
    """Return a frame of binomial errors, with one hour as given."""
    chance = random.Random(4)
    many = [sum(chance.random() < rate for _ in range(200)) for _ in HOURS]
    frame = pd.DataFrame({"hour": HOURS, "errors": many, "n": 200})
    frame.loc[at, ["errors", "n"]] = errors, n
    return frame


def test_an_hour_of_many_errors_is_found():
    """A tenth of two hundred, where a fiftieth is usual."""
    found = of_errors(errors_of(600, 40, 200)).episodes
    assert [each.start for each in found if each.severity == "high"] == [HOURS[600]]


@pytest.mark.parametrize(("errors", "n"), [(29, 29), (0, 0), (1, 30)])
def test_few_messages_raise_no_alert(errors, n):
    """Below 30 messages a rate says too little, and of 30 one error is chance."""
    found = of_errors(errors_of(600, errors, n)).episodes
    assert HOURS[600] not in [each.start for each in found]


def test_binomial_noise_raises_at_most_one_alert_in_a_thousand():
    """Nothing is wrong in it."""
    assert len(of_errors(errors_of(0, 4, 200)).episodes) <= 1


def test_more_errors_than_messages_are_a_mistake():
    """The frame was put together wrongly."""
    with pytest.raises(ValueError, match="between 0 and n"):
        Rates().judge(START, 2, 1)


def test_an_hour_without_a_row_had_no_message():
    """A hole in the traffic is an anomaly of the count."""
    frame = pd.DataFrame({"hour": HOURS, "n": 100})
    holed = frame.drop(range(600, 606))
    found = of_counts(holed)
    assert found.points == 700
    assert [each.start for each in found.episodes] == [HOURS[600]]


def test_a_time_of_few_messages_is_passed_over():
    """Of a single slow message no alert is raised."""
    frame = pd.DataFrame({"hour": HOURS, "n": 100, "seconds": 0.2})
    frame.loc[600, ["n", "seconds"]] = 3, 60.0
    assert of_times(frame).episodes == []
    frame.loc[600, "n"] = 100
    assert len(of_times(frame).episodes) == 1
