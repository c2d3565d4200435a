"""What a reader can work out from a page: the attacker that every page has to stand.

It knows what is published and nothing else: the counts that are shown, which sums there are, that
counts are whole numbers, that what is suppressed is not 0 (zeros are shown), and shares, each of
which is rounded. It shares no code with the protection but the solver.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tasks.analytics.suppression.cells import THRESHOLD, Cell, Cells, Equation
from tasks.analytics.suppression.program import Program, Row
from tasks.analytics.suppression.protection import WIDTH


@dataclass(frozen=True)
class Share:
    """A percentage as it is shown: of which cell in which, and to how many decimals."""

    part: Cell
    whole: Cell
    percent: float
    decimals: int = 1

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest share that are rounded to this one."""
        half = 0.5 * 10**-self.decimals
        return (self.percent - half) / 100, (self.percent + half) / 100


@dataclass(frozen=True)
class Published:
    """All that a reader of a page sees; cells in a sum that are not shown are to be found out."""

    shown: Mapping[Cell, int]
    equations: Sequence[Equation] = ()
    shares: Sequence[Share] = ()
    suppressed: frozenset[Cell] = frozenset()
    """Cells that stand on the page, but without their count."""
    differences: frozenset[Cell] = frozenset()

    @property
    def unknown(self) -> list[Cell]:
        """The cells to find out, in the order of the page."""
        named = [cell for each in self.equations for cell in (each.total, *each.parts)]
        named += [cell for share in self.shares for cell in (share.part, share.whole)]
        return [cell for cell in dict.fromkeys(named) if cell not in self.shown]


@dataclass(frozen=True)
class Range:
    """The least and the greatest count that a reader must think possible; `None` has no end."""

    low: int
    high: int | None

    @property
    def is_exact(self) -> bool:
        """Whether the count is found out."""
        return self.low == self.high

    @property
    def is_small(self) -> bool:
        """Whether it is found out that the count is one of 1 to 10."""
        return self.low > 0 and self.high is not None and self.high < THRESHOLD

    @property
    def is_narrow(self) -> bool:
        """Whether fewer counts are possible than a small one needs to hide among."""
        return self.high is not None and self.high - self.low < WIDTH


@dataclass
class _Relations:
    """What is known of the unknown cells, as rows of a program."""

    places: Mapping[Cell, int]
    shown: Mapping[Cell, int]
    rows: list[Row] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)

    def add(self, factors: Mapping[Cell, float], low: float, high: float) -> None:
        """Take a sum between two bounds; what is shown of it goes to the bounds."""
        known = sum(by * self.shown[cell] for cell, by in factors.items() if cell in self.shown)
        row = {self.places[cell]: by for cell, by in factors.items() if cell not in self.shown}
        if row:
            self.rows.append(row)
            self.low.append(low - known)
            self.high.append(high - known)


def ranges(published: Published) -> dict[Cell, Range]:
    """Return what each cell without a count can be, by one integer program for each end.

    Raises:
        ValueError: no counts at all fit what is published, so the page contradicts itself.

    """
    attack = _Attack(published)
    return {cell: attack.range(cell) for cell in attack.unknown}


class _Attack:
    """What is published, and counts that fit it: each answer rules out more than was asked."""

    def __init__(self, published: Published) -> None:
        self.unknown = published.unknown
        self._places = {cell: place for place, cell in enumerate(self.unknown)}
        self._program = _program(published, self._places)
        self._far = 1000 + 2 * max(map(abs, published.shown.values()), default=0)
        self._lower = [_least(published, cell, self._far) for cell in self.unknown]
        self._upper = [float(self._far)] * len(self.unknown)
        self._fitting: list[list[int]] = []

    def range(self, cell: Cell) -> Range:
        """Work out the least and the greatest count of a cell."""
        place = self._places[cell]
        for sign in (1.0, -1.0):
            found = self._program.minimum({place: sign}, self._lower, self._upper)
            if found is None:
                raise ValueError("the counts, sums and shares of the page contradict each other")
            self._fitting.append(found)
        low, high = self._fitting[-2][place], self._fitting[-1][place]
        return Range(low, None if high >= self._far else high)

    def closed(self) -> dict[Cell, Range]:
        """Return the cells that are small, narrow or exact, without asking for all others."""
        return {cell: self.range(cell) for cell in self.unknown if not self._is_open(cell)}

    def _is_open(self, cell: Cell) -> bool:
        """Tell whether answers so far show that the cell can be large, and lie far apart."""
        counts = [each[self._places[cell]] for each in self._fitting]
        return bool(counts) and max(counts) >= max(THRESHOLD, min(counts) + WIDTH)


def _program(published: Published, places: Mapping[Cell, int]) -> Program:
    relations = _Relations(places, published.shown)
    for equation in published.equations:
        relations.add({equation.total: 1.0} | dict.fromkeys(equation.parts, -1.0), 0.0, 0.0)
    for share in published.shares:
        low, high = share.bounds
        relations.add({share.part: 1.0, share.whole: -low}, 0.0, float("inf"))
        relations.add({share.part: 1.0, share.whole: -high}, float("-inf"), 0.0)
    return Program(len(places), relations.rows, relations.low, relations.high)


def _least(published: Published, cell: Cell, far: int) -> float:
    if cell in published.differences:
        return -float(far)
    return 1.0 if cell in published.suppressed else 0.0


def derivable(published: Published) -> dict[Cell, Range]:
    """Return what is found out: suppressed counts, and any count that must be one of 1 to 10."""
    return {
        cell: each
        for cell, each in _Attack(published).closed().items()
        if cell not in published.differences
        and (each.is_small or (each.is_exact and cell in published.suppressed))
    }


def disclosed(
    cells: Cells, suppressed: frozenset[Cell], shares: Sequence[Share] = ()
) -> dict[Cell, Range]:
    """Return what a page with these cells suppressed gives away; the truth tells what matters.

    Beside what is `derivable`, that is each count of 1 to 10 that is shown, and each that is
    narrowed down to fewer than eleven counts.
    """
    shown = {cell: cells.counts[cell] for cell in cells.shown - suppressed}
    published = Published(shown, cells.equations, shares, suppressed, cells.differences)
    small = {cell: Range(shown[cell], shown[cell]) for cell in cells.small if cell in shown}
    found = _Attack(published).closed()
    told = {cell: each for cell, each in found.items() if _tells(cell, each, cells, suppressed)}
    return small | told


def _tells(cell: Cell, found: Range, cells: Cells, suppressed: frozenset[Cell]) -> bool:
    if cell in cells.differences:
        return False
    if cell in cells.small and found.is_narrow:
        return True
    return found.is_small or (found.is_exact and cell in suppressed)
