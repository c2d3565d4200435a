"""Judge a rate of errors: how many of how many, so that few messages raise no alert."""

from collections import deque
from datetime import datetime
from math import sqrt

from tasks.analytics.anomalies.model import MEDIUM, Judgement, Rules
from tasks.analytics.anomalies.scale import Scale
from tasks.analytics.proportions import wilson


LEAST = 30
"""A bucket of fewer messages is not judged; the operators' specification."""

WARM_UP = 24
"""So many buckets with enough messages are only learnt from."""

FLOOR = 1.5
"""Least scale of the residual, in standard deviations of chance."""

MEMORY = 672
"""The usual rate is pooled over so many buckets: four weeks of hours."""


class Rates:
    """Judges the rate of errors bucket by bucket, each by what came before it only.

    The residual is that of the score test, (errors - p0 n) / sqrt(p0 (1 - p0) n), with p0 pooled
    from earlier buckets that did not stand out. Rates vary by more than chance, so the scale is
    learnt like that of a series, and is at least 1.5: beyond 2 lie three sigma of chance. The
    variance is that of one expected error at least. Only an increase is judged.
    """

    def __init__(self, rules: Rules | None = None) -> None:
        """Begin without history."""
        rules = rules or Rules()
        self._clip = rules.clip
        self._usual: deque[tuple[int, int]] = deque(maxlen=MEMORY)
        self._scale = Scale(tail=rules.tail, tail_z=MEDIUM, sigmas=rules.level_sigmas)

    def judge(self, moment: datetime, errors: int, n: int) -> Judgement:
        """Judge the next bucket, then learn from it.

        Raises:
            ValueError: there are more errors than messages.

        """
        if not 0 <= errors <= n:
            raise ValueError("errors lie between 0 and n")
        usual = self.usual()
        rate = errors / n if n else usual
        if n < LEAST:
            return Judgement(moment, rate, usual, 0.0)
        residual = (errors - usual * n) / sqrt(max(usual * (1 - usual) * n, 1))
        scale = self._scale.at(FLOOR)
        ready = len(self._scale) >= WARM_UP
        z = max(0.0, residual / scale)
        if wilson(errors, n, MEDIUM)[0] <= usual or not ready:
            z = 0.0
        self._scale.learn(min(abs(residual), self._clip * scale))
        if z <= MEDIUM:
            self._usual.append((errors, n))
        return Judgement(moment, rate, usual, z)

    def usual(self) -> float:
        """Return the pooled rate of earlier buckets, half an error added so that it is not 0."""
        errors = sum(each for each, _ in self._usual)
        return (errors + 0.5) / (sum(n for _, n in self._usual) + 1)
