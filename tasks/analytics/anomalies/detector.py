"""Judge one bucket after the other, each by what came before it only."""

from collections import deque
from datetime import datetime
from math import isfinite, log, sqrt

from sortedcontainers import SortedList

from tasks.analytics.anomalies.expected import Profile, middle
from tasks.analytics.anomalies.model import MEDIUM, Judgement, Look, Rules
from tasks.analytics.anomalies.scale import Scale


TINY = 1e-9
"""Keeps the scale of a series of zeros above zero."""


class Mean:
    """The mean of the last few numbers."""

    def __init__(self, width: int) -> None:
        """Remember as many."""
        self._last: deque[float] = deque(maxlen=width)

    def add(self, value: float) -> float:
        """Take one in and return the mean."""
        self._last.append(value)
        return sum(self._last) / len(self._last)


class Level:
    """How far the last buckets lie above or below what is expected at their hours."""

    def __init__(self, rules: Rules) -> None:
        """Begin without history."""
        self._rules = rules
        self._mean = Mean(rules.level)
        self._since: datetime | None = None
        self._scale = Scale(tail=rules.tail, tail_z=MEDIUM, sigmas=rules.level_sigmas)

    def ready(self, moment: datetime) -> bool:
        """Whether residuals of all weekdays, and enough, were seen to say which are large."""
        self._since = self._since or moment
        enough = len(self._scale) >= self._rules.warm_up
        return enough and moment - self._since >= self._rules.week

    def judge(self, residual: float, floor: float) -> float:
        """Return the z of the bucket whose residual this is, then learn from it."""
        level = self._mean.add(residual)
        scale = self._scale.at(floor)
        self._scale.learn(min(abs(level), self._rules.clip * scale))
        return level / scale


class Spread:
    """How much more or less restless than usual the last buckets are.

    A series may stay at its level and yet change its nature: jitter that grows, or a pulse that
    stops. It is measured by the logarithm of the mean change from bucket to bucket, against the
    median of that before.
    """

    def __init__(self, rules: Rules) -> None:
        """Begin without history."""
        self._rules = rules
        self._mean = Mean(rules.spread)
        self._recent: deque[float] = deque()
        self._before: SortedList[float] = SortedList()
        self._scale = Scale(tail=rules.tail, tail_z=MEDIUM, sigmas=rules.spread_sigmas)

    def judge(self, change: float, floor: float) -> float:
        """Return the z of the bucket that changed by so much, then learn from it."""
        spread = log(self._mean.add(change) + floor)
        self._recent.append(spread)
        if len(self._recent) > self._rules.spread:
            self._before.add(self._recent.popleft())
        if not self._before:
            return 0.0
        off = spread - middle(self._before)
        scale = self._scale.at(self._rules.spread_floor)
        self._scale.learn(min(abs(off), self._rules.clip * scale))
        return off / scale


class Detector:
    """Judges a series online; its memory is the series' own history, and nothing looks ahead."""

    def __init__(self, rules: Rules | None = None) -> None:
        """Begin without history."""
        self._rules = rules or Rules()
        self._profile = Profile()
        self._levels = [Level(self._rules) for _ in range(3)]
        self._spread = Spread(self._rules)
        self._seen = 0
        self._size = 0.0
        self._last: float | None = None
        self._counts = True

    def judge(self, moment: datetime, value: float) -> Judgement:
        """Judge the next bucket, then learn from it.

        Raises:
            ValueError: the value is no finite number, of which nothing could be learnt.

        """
        if not isfinite(value):
            raise ValueError("a bucket needs a finite value")
        size = self._size / self._seen if self._seen else abs(value)
        change = abs(value - self._last) if self._last is not None else 0.0
        expected, level = self._against(moment, value, size)
        spread = self._spread.judge(change, TINY + 0.01 * size)
        z = max(level, spread, key=abs) if self._seen >= self._rules.warm_up else 0.0
        self._learn(value, usual=abs(level) <= MEDIUM)
        further: Look = "spread" if abs(spread) > abs(level) else "level"
        return Judgement(moment, value, expected, z, further)

    def _against(self, moment: datetime, value: float, size: float) -> tuple[float, float]:
        """Return what is expected, and the z of the level against it.

        Each expectation has a scale of its own, so that the large residuals of the first days,
        when hours are not told apart, do not blind the finer one. The finest is taken whose scale
        has learnt enough.
        """
        taken, level = value, 0.0
        for expected, look in zip(self._profile.at(moment), self._levels, strict=True):
            if expected is None:
                continue
            ready = look.ready(moment)
            z = look.judge(value - expected, self._floor(size, expected))
            if ready or look is self._levels[0]:
                taken, level = expected, z
        return taken, level

    def _floor(self, size: float, expected: float) -> float:
        """Return the least scale: a share of the values; of counts what Poisson allows."""
        floor = TINY + self._rules.level_floor * size
        if not self._counts:
            return floor
        return max(floor, self._rules.level_sigmas * sqrt(max(expected, 1) / self._rules.level))

    def _learn(self, value: float, *, usual: bool) -> None:
        """Take a bucket in; what stood out does not change what is expected."""
        if usual or self._seen < self._rules.warm_up:
            self._profile.learn(value)
        self._seen += 1
        self._size += abs(value)
        self._last = value
        self._counts = self._counts and value >= 0 and value == int(value)
