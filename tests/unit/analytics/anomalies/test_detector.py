"""What stands out, and what does not."""

# ruff: noqa: DTZ001 - series come without a time zone

import math
import random
from datetime import datetime, timedelta

import pytest

from tasks.analytics.anomalies.detect import of_series
from tasks.analytics.anomalies.detector import Detector


START = datetime(2026, 1, 5)
HOUR = timedelta(hours=1)


def hours(values):
    """Put values at hours."""
    return [(START + number * HOUR, float(value)) for number, value in enumerate(values)]


def daily(n, noise=0.0, seed=1):
    """Return counts with a day in them."""
    chance = random.Random(seed)
    return [
        200 + 150 * math.sin(2 * math.pi * number / 24) + chance.gauss(0, noise)
        for number in range(n)
    ]


@pytest.mark.parametrize(
    "values",
    [
        [45] * 2000,
        [0] * 2000,
        [20 if number // 12 % 2 else 80 for number in range(2000)],
        daily(2000),
        [200 + number % 7 for number in range(2000)],
    ],
    ids=["flat", "zero", "square", "daily", "sawtooth"],
)
def test_what_repeats_exactly_raises_nothing(values):
    """The scale has a floor, so that a perfect series is no reason for an alert."""
    assert of_series(hours(values)).episodes == []


def test_one_spike_on_a_constant_is_one_high_episode_at_its_hour():
    """It starts at the spike; the change back is as large, so that the peak may be there."""
    values = [45] * 2000
    values[1500] = 90
    (found,) = of_series(hours(values)).episodes
    assert found.start == START + 1500 * HOUR
    assert found.peak in (found.start, found.start + HOUR)
    assert found.severity == "high"
    assert found.score > 3


def test_a_day_that_differs_from_its_weekday_is_found():
    """Half the traffic is usual at night, but not at its hour of the day."""
    values = daily(1400, noise=8)
    values[1206:1212] = [200] * 6
    found = of_series(hours(values)).episodes
    assert [each for each in found if START + 1206 * HOUR <= each.start < START + 1212 * HOUR]


def test_an_equal_second_anomaly_is_not_masked_by_the_first():
    """What stood out moves neither what is expected nor, much, the scale."""
    values = daily(2400, noise=8)
    for at in (1500, 2100):
        values[at : at + 2] = [900, 900]
    found = {each.start for each in of_series(hours(values)).episodes}
    assert {START + 1500 * HOUR, START + 2100 * HOUR} <= found


def test_jitter_that_grows_is_found_by_the_spread():
    """The level stays where it was."""
    chance = random.Random(3)
    values = [100 + chance.gauss(0, 2) for _ in range(1000)]
    values += [100 + 7 * (-1) ** number for number in range(48)]
    found = of_series(hours(values)).episodes
    assert found[-1].look == "spread"
    assert START + 1000 * HOUR <= found[-1].start < START + 1030 * HOUR


def test_a_bucket_is_judged_by_what_came_before_it_only():
    """Whatever follows changes no judgement."""
    values = daily(900, noise=20)
    whole, part = Detector(), Detector()
    judged = [whole.judge(*each) for each in hours(values)]
    assert [part.judge(*each) for each in hours(values[:600])] == judged[:600]


def test_a_burst_that_comes_and_goes_is_one_episode():
    """One alert, from its first bucket to its last."""
    values = [45] * 1000
    for at in (700, 704, 708):
        values[at] = 300
    (found,) = of_series(hours(values)).episodes
    assert found.start == START + 700 * HOUR
    assert found.end >= START + 708 * HOUR


def test_a_bucket_without_a_number_is_a_mistake():
    """Nothing could be learnt of it."""
    with pytest.raises(ValueError, match="finite"):
        Detector().judge(START, float("nan"))


def test_the_rule_is_told_with_what_it_costs():
    """A report prints formula, baseline and the false alarms to expect."""
    found = of_series(hours([1] * 2000))
    assert "|z| > 2 medium" in found.method.formula
    assert "same hour and weekday" in found.method.baseline
    assert 0 < found.expected_false_alarms <= 2
