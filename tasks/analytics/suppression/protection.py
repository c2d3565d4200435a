"""Which cells of a page are suppressed, so that no small count can be worked out from the others.

Primary suppression takes the counts of 1 to 10. Complementary suppression takes as few others as
needed: for each small count that the rest of the page still narrows down, the cheapest set of cells
is looked for that could change together with it, all sums kept (Kelly, Golden and Assad 1992;
Fischetti and Salazar 2001). Then each complementary cell is shown again where nothing needs it.

What holds afterwards, also against a reader who knows these rules: to each small count belong pages
that look the same, in which it is at least 10 higher than in others, and at least 11. No suppressed
cell follows from the rest. Zeros are shown always, so the reader knows that a suppressed cell is
not 0; primary and complementary cells must look alike, or the reader knows which are 1 to 10.
"""

from math import log1p

from tasks.analytics.suppression.cells import THRESHOLD, Cell, Cells
from tasks.analytics.suppression.program import Program
from tasks.control.errors import Refused


WIDTH = THRESHOLD - 1
"""How far apart the least and the greatest count that a reader must think possible are."""

_DEARER = 4.0
"""A total tells more than one of its parts."""


def protect(
    cells: Cells,
    shown: frozenset[Cell] = frozenset(),
    suppressed: frozenset[Cell] = frozenset(),
) -> frozenset[Cell]:
    """Return the cells of a page to suppress: small ones, and those that would give them away.

    Args:
        cells: all counts of the page.
        shown: those that another page shows, which cannot be taken back here.
        suppressed: those that another page suppresses, which would be given away here.

    Raises:
        Refused: a small count cannot be hidden, whatever else is suppressed.

    """
    search = _Search(cells, shown, suppressed)
    for cell in sorted(cells.small, key=lambda each: (cells.counts[each], repr(each))):
        search.cover(cell)
    search.show_again()
    return search.suppressed | _differences(cells, search.suppressed)


def _differences(cells: Cells, suppressed: frozenset[Cell]) -> frozenset[Cell]:
    """Return the differences of which one side is suppressed."""
    return frozenset(
        cell
        for equation in cells.equations
        if suppressed & {equation.total, *equation.parts}
        for cell in (equation.total, *equation.parts)
        if cell in cells.differences
    )


class _Search:
    """The suppressed cells so far, and pages that look the same: how far each cell is off there."""

    def __init__(self, cells: Cells, shown: frozenset[Cell], suppressed: frozenset[Cell]) -> None:
        self._cells = cells
        self._fixed = shown
        self._names = list(cells.counts)
        self._places = {cell: place for place, cell in enumerate(self._names)}
        self._moving = cells.hidden | cells.differences
        self._alike: list[list[int]] = [[0] * len(self._names)]
        self._far = 1000 + 2 * max(map(abs, cells.counts.values()), default=0)
        self._shifts, self._priced = self._programs()
        self._needed = cells.small - cells.hidden | suppressed
        self.suppressed = self._needed

    def _programs(self) -> tuple[Program, Program]:
        """Return the program of a shift, and the one in which a shift is a rise less a fall."""
        width = len(self._names)
        sums = []
        for equation in self._cells.equations:
            row = {self._places[cell]: -1.0 for cell in equation.parts}
            sums.append({**row, self._places[equation.total]: 1.0})
        none = [0.0] * len(sums)
        both = [row | {width + place: -by for place, by in row.items()} for row in sums]
        return Program(width, sums, none, none), Program(2 * width, both, none, none)

    def _limits(self, free: frozenset[Cell]) -> tuple[list[float], list[float]]:
        """Return how far each cell may fall and rise where only some are free to."""
        lower, upper = [], []
        for cell in self._names:
            count = self._cells.counts[cell]
            least = -self._far if cell in self._cells.differences else self._least(cell)
            lower.append(float(least - count) if cell in free else 0.0)
            upper.append(float(self._far) if cell in free else 0.0)
        return lower, upper

    def _least(self, cell: Cell) -> int:
        return 0 if cell in self._cells.hidden else 1

    def _is_vague(self, cell: Cell, alike: list[list[int]]) -> bool:
        """Tell whether the pages found so far leave the cell open enough."""
        place = self._places[cell]
        offs = [page[place] for page in alike]
        is_maybe_large = self._cells.counts[cell] + max(offs) >= THRESHOLD
        return is_maybe_large and max(offs) - min(offs) >= WIDTH

    def _widened(self, cell: Cell, free: frozenset[Cell], alike: list[list[int]]) -> bool:
        """Look for pages that leave the cell open, and keep them; tell whether there are any."""
        for sign in (-1.0, 1.0):
            if self._is_vague(cell, alike):
                return True
            place = self._places[cell]
            page = self._shifts.minimum({place: sign}, *self._limits(free))
            if page is not None:
                alike.append(page)
        return self._is_vague(cell, alike)

    def cover(self, cell: Cell) -> None:
        """Suppress what else it takes that the cell stays open."""
        if self._widened(cell, self.suppressed | self._moving, self._alike):
            return
        width, place = len(self._names), self._places[cell]
        lowest = min(page[place] for page in self._alike)
        count = self._cells.counts[cell]
        lower, upper = self._limits(
            frozenset(each for each in self._names if self._cells.counts[each]) - self._fixed
            | self._moving
        )
        rise = [0.0] * width
        rise[place] = float(max(THRESHOLD - count, WIDTH + lowest))
        falls = [-each for each in lower]
        falls[place] = 0.0
        found = self._priced.minimum(self._prices(), rise + [0.0] * width, upper + falls)
        if found is None:
            raise Refused(
                "a small count cannot be hidden",
                seen=f"cell {cell!r}",
                expected="sums that leave it open",
                do="leave the table out, or make its categories broader",
            )
        page = [up - down for up, down in zip(found[:width], found[width:], strict=True)]
        moved = {self._names[at] for at, by in enumerate(page) if by}
        self.suppressed |= moved - self._moving
        self._alike.append(page)

    def _prices(self) -> dict[int, float]:
        """Return what it costs to shift each cell by one, upwards and downwards."""
        totals = {equation.total for equation in self._cells.equations}
        prices = {}
        for place, cell in enumerate(self._names):
            if cell in self.suppressed or cell in self._moving:
                continue
            price = (1 + log1p(self._cells.counts[cell])) * (_DEARER if cell in totals else 1)
            prices[place] = price * (1 + place / 1000 / len(self._names))
        return prices | {len(self._names) + place: price for place, price in prices.items()}

    def show_again(self) -> None:
        """Show each complementary cell that no small one needs, the dearest first."""
        complementary = self.suppressed - self._needed
        for cell in sorted(complementary, key=lambda each: (-self._cells.counts[each], repr(each))):
            fewer = self.suppressed - {cell}
            alike = [page for page in self._alike if not page[self._places[cell]]]
            if all(
                self._widened(small, fewer | self._moving, alike) for small in self._cells.small
            ):
                self.suppressed, self._alike = fewer, alike
