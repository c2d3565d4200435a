"""What a page gives away of small counts, asked of the attacker before it is published."""

from collections.abc import Sequence

from tasks.analytics.gate.check import Check
from tasks.analytics.gate.validation import check_numbers
from tasks.analytics.suppression.attack import Share, disclosed
from tasks.analytics.suppression.cells import Cell, Cells


def check_cells(cells: Cells, suppressed: frozenset[Cell], shares: Sequence[Share] = ()) -> Check:
    """See that no small count is shown, and that none follows from totals and percentages.

    A page whose counts and shares contradict each other, or whose sums cannot be solved, is an
    error: nothing is known of it.
    """
    name = "page: no small count can be worked out"
    try:
        found = disclosed(cells, suppressed, shares)
    except Exception as error:  # noqa: BLE001 - its text may quote a count
        return Check(name, "error", seen=f"the attack raised {type(error).__name__}")
    given_away = [int(cell in found) for cell in cells.counts]
    return check_numbers(name, given_away, 0, 0)
