"""Shares with their uncertainty, and changes from one period to the next."""

import math


SMALL = 30
"""Below this many a share says little, and is flagged."""

Z95 = 1.959963984540054
"""The normal quantile of a two-sided interval of 95 %."""


def wilson(successes: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Return the Wilson score interval of a share; of nothing it is the whole of 0 to 1.

    Source: E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209-212.

    Args:
        successes: how many of `n` it was.
        n: how many there were.
        z: normal quantile of the interval, 1.96 for 95 %.

    """
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (0.0 if successes == 0 else centre - half), (1.0 if successes == n else centre + half)


def share(part: float, whole: float) -> float | None:
    """Return a part of a whole, or None where there is nothing to be a part of."""
    return part / whole if whole else None


def change(now: float, before: float) -> float | None:
    """Return by what share something grew, or None where there was nothing before."""
    return (now - before) / before if before else None
