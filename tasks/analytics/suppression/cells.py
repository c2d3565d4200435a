"""What a page counts, cell by cell, and which cells add up to which.

A cell is named by what it counts, a set of properties: `named(sex="F", age="65-74")`. A total names
fewer of them, and everything is `named()`. So the same cell in two tables of a page is one cell,
and what can be worked out from both tables together is seen.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Self

from tasks.control.errors import Refused


THRESHOLD = 11
"""The smallest count that is shown, beside 0 (CMS cell size suppression policy: no 1 to 10)."""

Cell = Hashable


def is_small(count: float) -> bool:
    """Tell whether a count is of so few that it is not shown."""
    return 0 < count < THRESHOLD


def named(**properties: str) -> Cell:
    """Name the cell that counts whoever has all of these properties."""
    return frozenset(properties.items())


@dataclass(frozen=True)
class Equation:
    """One sum that a reader can do: the total is what its parts add up to."""

    total: Cell
    parts: tuple[Cell, ...]


@dataclass(frozen=True)
class Cells:
    """All counts of one page, and all sums over them.

    `hidden` cells are not on the page, but a sum leads to them: all patients less those with a
    diagnosis are those without it. `differences` are changes between two cells: they may be
    negative, count nobody, and are shown where both cells are.

    Raises:
        Refused: a count is negative, a sum names a cell that is not there or does not add up.

    """

    counts: Mapping[Cell, int]
    equations: tuple[Equation, ...] = ()
    hidden: frozenset[Cell] = frozenset()
    differences: frozenset[Cell] = frozenset()

    def __post_init__(self) -> None:
        """See that the counts are counts and that the sums hold."""
        for cell, count in self.counts.items():
            if count < 0 and cell not in self.differences:
                raise _refused("a count is negative", cell, "0 or more")
        for equation in self.equations:
            for cell in (equation.total, *equation.parts):
                if cell not in self.counts:
                    raise _refused("a sum names a cell without a count", cell, "a count of it")
            if self.counts[equation.total] != sum(map(self.counts.__getitem__, equation.parts)):
                raise _refused("parts do not add up to their total", equation.total, "a partition")

    def __add__(self, other: Self) -> "Cells":
        """Put two tables on one page; what one of them shows is shown.

        Raises:
            Refused: the same cell has two counts.

        """
        for cell in self.counts.keys() & other.counts.keys():
            if self.counts[cell] != other.counts[cell]:
                raise _refused("one cell has two counts", cell, "the same count in every table")
        equations = dict.fromkeys((*self.equations, *other.equations))
        return Cells(
            {**self.counts, **other.counts},
            tuple(equations),
            frozenset((self.hidden | other.hidden) - self.shown - other.shown),
            self.differences | other.differences,
        )

    @property
    def shown(self) -> frozenset[Cell]:
        """The cells that are on the page, unless they are suppressed."""
        return frozenset(self.counts.keys() - self.hidden)

    @property
    def small(self) -> frozenset[Cell]:
        """The cells of 1 to 10, on the page or not, that nobody may learn."""
        return frozenset(
            cell
            for cell, count in self.counts.items()
            if is_small(count) and cell not in self.differences
        )


def crossed(
    counts: Mapping[tuple[str, ...], int],
    dimensions: tuple[str, ...],
    within: Mapping[str, str] | None = None,
    *,
    shows_totals: bool = True,
) -> Cells:
    """Return a table of one or more dimensions with all its totals; what is not counted is 0.

    The categories of a dimension must exclude each other. `within` names what the whole table
    counts, so that `crossed({("F",): 60}, ("sex",), {"period": "now"})` is part of one period.
    """
    values = [sorted({key[place] for key in counts}) for place in range(len(dimensions))]
    names: dict[Cell, int] = {}
    equations = []
    places = range(len(dimensions))
    for size in range(len(dimensions) + 1):
        for kept in combinations(places, size):
            for key in _keys(values, kept):
                total = _name(dimensions, key, within)
                names[total] = sum(n for each, n in counts.items() if _lies_in(each, key))
                for place in set(places) - set(kept):
                    parts = [{**key, place: value} for value in values[place]]
                    names_of_parts = tuple(_name(dimensions, part, within) for part in parts)
                    equations.append(Equation(total, names_of_parts))
    whole = {_name(dimensions, dict(enumerate(key)), within) for key in counts}
    return Cells(
        names,
        tuple(equations),
        frozenset() if shows_totals else frozenset(names.keys() - whole),
    )


def subset(part: Cell, count: int, whole: Cell, total: int) -> Cells:
    """Return a count among a shown total: the others can be worked out, so they count too."""
    others = ("not", part, whole)
    return Cells(
        {part: count, whole: total, others: total - count},
        (Equation(whole, (part, others)),),
        frozenset({others}),
    )


def overlap(both: Cell, count: int, one: tuple[Cell, int], other: tuple[Cell, int]) -> Cells:
    """Return a count of those who are in two groups: who is in one only can be worked out."""
    return subset(both, count, *one) + subset(both, count, *other)


def overlap_within(
    both: Cell, count: int, one: tuple[Cell, int], other: tuple[Cell, int], whole: tuple[Cell, int]
) -> Cells:
    """Return the same in a whole that is counted as well, so that those in neither are known."""
    either, neither, lone = ("either", both), ("neither", both), ("not", both, other[0])
    union = one[1] + other[1] - count
    return overlap(both, count, one, other) + Cells(
        {one[0]: one[1], lone: other[1] - count, either: union, neither: whole[1] - union}
        | {whole[0]: whole[1]},
        (Equation(either, (one[0], lone)), Equation(whole[0], (either, neither))),
        frozenset({lone, either, neither}),
    )


def change(now: tuple[Cell, int], prior: tuple[Cell, int]) -> Cells:
    """Return a count beside the one of the period before, and the difference of both."""
    difference = changed(now[0], prior[0])
    return Cells(
        {now[0]: now[1], prior[0]: prior[1], difference: now[1] - prior[1]},
        (Equation(now[0], (prior[0], difference)),),
        differences=frozenset({difference}),
    )


def changed(now: Cell, prior: Cell) -> Cell:
    """Name the cell of a difference."""
    return ("change", now, prior)


def _keys(values: list[list[str]], kept: tuple[int, ...]) -> list[dict[int, str]]:
    keys: list[dict[int, str]] = [{}]
    for place in kept:
        keys = [{**key, place: value} for key in keys for value in values[place]]
    return keys


def _lies_in(each: tuple[str, ...], key: Mapping[int, str]) -> bool:
    return all(each[place] == value for place, value in key.items())


def _name(
    dimensions: tuple[str, ...], key: Mapping[int, str], within: Mapping[str, str] | None
) -> Cell:
    return named(**(within or {}), **{dimensions[place]: value for place, value in key.items()})


def _refused(what: str, cell: Cell, expected: str) -> Refused:
    """Name the cell, which is a set of categories, and no count."""
    return Refused(
        what, seen=f"cell {cell!r}", expected=expected, do="correct the query of the table"
    )
