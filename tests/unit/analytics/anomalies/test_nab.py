"""The public benchmark: its formula by hand, and the bars that the shipped rule keeps."""

from math import exp

import pytest

from benchmarks.anomalies import NOISE, noises, scored
from benchmarks.nab import Score, load, score
from tasks.analytics.anomalies.detect import of_series


WINDOW = [(500, 599)]


def weight(y):
    """Write the formula down once more."""
    return 2 / (1 + exp(5 * y)) - 1


@pytest.mark.parametrize(
    ("detections", "raw"),
    [
        ([], -1.0),
        ([500], 1.0),
        ([550, 560], weight(-0.5) / weight(-1)),
        ([599], weight(-0.01) / weight(-1)),
        ([499], -1.0 - 0.11),
        ([500, 698], 1.0 + 0.11 * weight(1)),
        ([500, 599 + 298], 1.0 - 0.11),
        ([149, 500], 1.0),
        ([150, 500], 1.0 - 0.11),
    ],
)
def test_a_detection_weighs_as_published(detections, raw):
    """Hits by how early, misses 1, false alarms 0.11 by how far behind; probation is free."""
    assert score(1000, WINDOW, detections).raw == pytest.approx(raw, abs=1e-6)


def test_no_alert_is_0_and_the_first_bucket_of_each_window_is_100():
    """The scale of the published table."""
    windows = [(500, 599), (700, 799)]
    assert score(1000, windows, []).standard == 0
    assert score(1000, windows, [500, 700]).standard == pytest.approx(100)


def test_the_shipped_rule_keeps_the_bars(shared_data):
    """On every file, by its defaults; random detection scores 16.8, HTM 70.1."""
    total = sum((scored(file) for file in load(shared_data / "nab")), Score())
    assert total.standard >= 60
    assert total.recall >= 0.80
    assert total.false_per_1000 <= 1.3


@pytest.mark.parametrize(("kind", "series"), list(noises(seed=2)), ids=lambda each: str(each)[:13])
def test_noise_raises_at_most_one_alert_in_a_thousand_buckets(kind, series):
    """Nothing is wrong in it, so that each alert is false."""
    assert len(of_series(series).episodes) <= NOISE / 1000
