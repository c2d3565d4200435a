"""How recoverable a stanza is, by its drills: times against objectives, trend, and how sure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.recovery.drill.draw import lower_bound
from tasks.recovery.drill.outcome import Drill


EVERY = timedelta(days=7)
"""A drill is wanted once a week."""

GRACE = timedelta(days=1)
"""By so much one may be late before it counts as missed."""

ENOUGH = 3
"""So many drills of different sizes are needed for a trend."""


@dataclass(frozen=True)
class Trend:
    """How the time of a restore grows, and when it passes the objective.

    Args:
        seconds_per_byte: of the copy.
        bytes_per_day: by which the copy grows.
        limit_bytes: size at which the objective is passed.
        due: when that is, if it goes on like this; None: not within ten years.

    """

    seconds_per_byte: float
    bytes_per_day: float
    limit_bytes: float
    due: datetime | None


@dataclass(frozen=True)
class Score:
    """What drills say of a stanza.

    Args:
        drills: how many there were.
        passed: how many of them passed.
        share: of the window, of which one is 95 % sure that at least it restores.
        p50_s: median of the time to a cluster that can be written, in seconds; None: no drill.
        p95_s: what 95 % of them keep to.
        exposed_p50_s: median of what a disaster would have cost, in seconds; None: not known.
        exposed_p95_s: what 95 % of the drills found it not to pass.
        missed: how many weeks went by without a drill.
        last_at: when the last one was.
        trend: how the time grows; None: too few drills.

    """

    drills: int
    passed: int
    share: float
    p50_s: float | None
    p95_s: float | None
    exposed_p50_s: float | None
    exposed_p95_s: float | None
    missed: int
    last_at: datetime | None
    trend: Trend | None


def score(drills: Sequence[Drill], since: datetime | None, now: datetime, rto_s: float) -> Score:
    """Score a stanza by its drills.

    Args:
        drills: the oldest first.
        since: from when on drills are wanted, such as the first backup; None: none is.
        now: the present.
        rto_s: the objective, in seconds.

    """
    passed = [drill for drill in drills if drill.verdict == "passed"]
    times = sorted(drill.rto_s for drill in drills if drill.rto_s is not None)
    exposed = sorted(drill.exposed_s for drill in drills if drill.exposed_s is not None)
    return Score(
        drills=len(drills),
        passed=len(passed),
        share=lower_bound(len(passed), len(drills)) if drills else 0.0,
        p50_s=quantile(times, 0.5),
        p95_s=quantile(times, 0.95),
        exposed_p50_s=quantile(exposed, 0.5),
        exposed_p95_s=quantile(exposed, 0.95),
        missed=_missed([drill.started_at for drill in drills], since, now),
        last_at=drills[-1].started_at if drills else None,
        trend=_trend(passed, now, rto_s),
    )


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least a share of some ordered ones do not pass."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else None


def _missed(moments: Sequence[datetime], since: datetime | None, now: datetime) -> int:
    """Count the weeks in which a drill was wanted and none was made."""
    if since is None:
        return 0
    missed, last = 0, since
    for moment in [*(each for each in moments if each > since), now]:
        missed += max(0, math.ceil((moment - last - GRACE) / EVERY) - 1)
        last = moment
    return missed


def _trend(passed: Sequence[Drill], now: datetime, rto_s: float) -> Trend | None:
    """Fit time to size and size to time, by least squares, and look ahead."""
    known = [(each.restored_bytes, each.rto_s, each.started_at) for each in passed if each.rto_s]
    if len({size for size, _, _ in known}) < ENOUGH:
        return None
    sizes = [float(size) for size, _, _ in known]
    slope, start = fit(sizes, [float(seconds or 0) for _, seconds, _ in known])
    days = [(at - now) / timedelta(days=1) for _, _, at in known]
    growth, size = fit(days, sizes)
    if slope <= 0:
        return None
    limit = (rto_s - start) / slope
    left = (limit - size) / growth if growth > 0 else math.inf
    due = now + timedelta(days=max(left, 0)) if left < 10 * 365 else None
    return Trend(slope, growth, limit, due)


def fit(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """Return slope and start of the line of least squares through some points."""
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    spread = sum((each - mean_x) ** 2 for each in x)
    if not spread:
        return 0.0, mean_y
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread
    return slope, mean_y - slope * mean_x
