"""How far a residual may lie before it stands out, learnt from all residuals before it."""

from sortedcontainers import SortedList


SIGMA = 0.6827
"""Share of a normal curve within one standard deviation."""


class Scale:
    """The unit of z: the largest of a robust spread, the tail that was seen, and a floor.

    A z by the standard deviation or the MAD alone fires on every burst of a series that bursts
    daily. Here |z| = 2 lies where the rarest 0.27 % of earlier residuals begin, so that the rate
    of alarms is bounded by construction whatever the shape of the noise; on quiet, normal noise
    the robust spread governs, and on a flat line the floor.
    """

    def __init__(self, *, tail: float, tail_z: float, sigmas: float) -> None:
        """Put |z| = `tail_z` at the quantile `tail`, and |z| = 1 at `sigmas` deviations or more."""
        self._tail, self._tail_z, self._sigmas = tail, tail_z, sigmas
        self._sizes: SortedList[float] = SortedList()

    def __len__(self) -> int:
        """How many residuals it has learnt from."""
        return len(self._sizes)

    def at(self, floor: float) -> float:
        """Return the scale for the next residual; at least the floor."""
        sizes, count = self._sizes, len(self._sizes)
        if not count:
            return floor
        tail = sizes[min(count - 1, int(self._tail * count))] / self._tail_z
        return float(max(tail, self._sigmas * sizes[int(SIGMA * count)], floor))

    def learn(self, size: float) -> None:
        """Take in the size of a residual."""
        self._sizes.add(size)
