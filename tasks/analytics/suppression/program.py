"""A linear program over whole numbers, as small tables ask for it."""

from collections.abc import Mapping, Sequence
from typing import Any


Row = Mapping[int, float]


class Program:
    """Rows of a matrix with their bounds; asked many times with other costs and limits."""

    def __init__(
        self, width: int, rows: Sequence[Row], low: Sequence[float], high: Sequence[float]
    ) -> None:
        """Take `low <= rows . x <= high`, where a row holds its factors by their places."""
        from scipy.optimize import LinearConstraint  # noqa: PLC0415 - half a second
        from scipy.sparse import csr_array  # noqa: PLC0415

        entries = [(at, place, each) for at, row in enumerate(rows) for place, each in row.items()]
        at, places, factors = zip(*entries, strict=True) if entries else ((), (), ())
        matrix = csr_array((factors, (at, places)), shape=(len(rows), width))
        self._rows: Any = LinearConstraint(matrix, low, high) if entries else ()
        self._width = width

    def minimum(
        self, cost: Row, lower: Sequence[float], upper: Sequence[float]
    ) -> list[int] | None:
        """Return whole numbers of the least cost between the limits; nothing where none fit.

        HiGHS through `scipy.optimize.milp`; its gap is 0, since the usual one of 1e-4 would end the
        search a hundred short of a million.
        """
        from scipy.optimize import Bounds, milp  # noqa: PLC0415 - half a second

        weights = [cost.get(place, 0.0) for place in range(self._width)]
        found: Any = milp(
            weights,
            constraints=self._rows,
            integrality=[1] * self._width,
            bounds=Bounds(lower, upper),
            options={"mip_rel_gap": 0},
        )
        return None if found.x is None else [round(each) for each in found.x]
