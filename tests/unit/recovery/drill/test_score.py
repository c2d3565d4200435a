"""The score of drills: times, missed weeks, and when the objective will be passed."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.control.errors import Corrupt, OpsError
from tasks.recovery.drill.outcome import Drill
from tasks.recovery.drill.score import fit, quantile, score
from tasks.repository.proof import Check


NOW = datetime(2026, 11, 24, tzinfo=UTC)

PASS = [Check("boot", "there", "pass")]


def drill(days, seconds=100.0, size=10**9, **more):
    """Return a drill that passed some days ago."""
    known = {"checks": PASS, "fault": "a row is gone: t", "noticed": True} | more
    at = NOW - timedelta(days=days)
    return Drill("main", "local", 1, at, seconds={"copy": seconds}, restored_bytes=size, **known)


@pytest.mark.parametrize(
    ("more", "verdict", "raised"),
    [
        ({}, "passed", None),
        ({"noticed": False}, "failed", Corrupt),
        ({"fault": None}, "error", OpsError),
        ({"checks": []}, "error", OpsError),
        ({"checks": [Check("boot", "there", "fail", "elsewhere")]}, "failed", Corrupt),
        ({"checks": [*PASS, Check("structure", "sound", "error")]}, "error", OpsError),
        ({"error": "no room"}, "error", OpsError),
    ],
)
def test_only_a_noticed_fault_in_a_sound_copy_passes(more, verdict, raised):
    """F23: a drill that cannot fail proves nothing."""
    done = drill(1, **more)
    assert done.verdict == verdict
    if raised is None:
        done.require()
    else:
        with pytest.raises(raised, match="hl7ops drill --seed 1"):
            done.require()


def test_times_are_those_of_all_drills():
    """Median and the 95th of a hundred."""
    found = score([drill(100 - n, seconds=n + 1) for n in range(100)], None, NOW, 1800)
    assert (found.p50_s, found.p95_s, found.drills, found.passed) == (50, 95, 100, 100)
    assert quantile([], 0.5) is None


def test_a_week_without_a_drill_is_missed():
    """One that is a day late is not; today counts as well."""
    weekly = [drill(days) for days in (28, 21, 13, 6)]
    assert score(weekly, weekly[0].started_at, NOW, 1800).missed == 0
    gone = [drill(days) for days in (42, 21, 16)]
    assert score(gone, gone[0].started_at, NOW, 1800).missed == 4
    assert score([], NOW - timedelta(days=22), NOW, 1800).missed == 2
    assert score([], None, NOW, 1800).missed == 0


def test_the_trend_says_when_the_objective_is_passed():
    """Ten seconds a GB, two GB a week from 20 GB on: 180 GB are passed in 80 weeks."""
    drills = [
        drill(7 * weeks, seconds=10.0 * gigabytes, size=gigabytes * 10**9)
        for weeks, gigabytes in ((3, 14), (2, 16), (1, 18), (0, 20))
    ]
    trend = score(drills, None, NOW, 1800).trend
    assert trend.seconds_per_byte * 1e9 == pytest.approx(10)
    assert trend.bytes_per_day * 7 == pytest.approx(2e9)
    assert trend.limit_bytes == pytest.approx(180e9)
    assert (trend.due - NOW) / timedelta(weeks=1) == pytest.approx(80, abs=0.1)


def test_without_growth_there_is_no_date_and_without_drills_no_trend():
    """Nothing is told that is not known."""
    level = [
        drill(days, seconds=size, size=size * 10**9) for days, size in ((1, 3), (2, 2), (3, 4))
    ]
    shrinking = score(level[::-1], None, NOW, 1800).trend
    assert shrinking is None or shrinking.due is None
    assert score([drill(1), drill(2)], None, NOW, 1800).trend is None
    assert fit([1, 1], [2, 4]) == (0.0, 3.0)
