"""What may be shown of patients on one page: every count of it, suppressed as one system.

The counts of all tables go into one system with all sums between them, since a reader has the whole
page. Groups that a reader can work out and that stand nowhere, such as those with a diagnosis and
without another, are protected as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.analytics.suppression.cells import THRESHOLD, Cell, Cells
from tasks.analytics.suppression.protection import protect


BROAD = 2 * THRESHOLD
"""In so large a total every part of 1 to 10 can still be one of eleven and more."""


@dataclass(frozen=True)
class Disclosure:
    """The counts of a page, and which of them are suppressed."""

    cells: Cells
    suppressed: frozenset[Cell]

    def count(self, cell: Cell) -> int | None:
        """Return a count as it may be shown; None is suppressed."""
        return None if cell in self.suppressed else self.cells.counts[cell]

    @property
    def told(self) -> frozenset[int]:
        """The counts that may be shown."""
        return frozenset(self.cells.counts[cell] for cell in self.cells.shown - self.suppressed)

    def column(self, cells: Sequence[Cell]) -> list[int | None]:
        """Return the counts of a column."""
        return [self.count(cell) for cell in cells]


NOTHING = Disclosure(Cells({}), frozenset())


def disclose(*tables: Cells, known: Disclosure = NOTHING) -> Disclosure:
    """Put tables on one page, and decide what has to be suppressed of them.

    Args:
        tables: the counts, with the sums between them.
        known: what other pages show as well; it stays as it is there.

    """
    cells = known.cells
    for table in tables:
        cells += table
    shown = known.cells.shown - known.suppressed
    return Disclosure(cells, protect(cells, shown, known.suppressed))


def is_broad(count: float) -> bool:
    """Tell whether a total may be shown where nobody looks at its parts: none of them is told."""
    return count == 0 or count >= BROAD
