"""The tables that reports show, suppressed: each is a thin cover of the one protection."""

from collections.abc import Mapping

from tasks.analytics.suppression.cells import (
    Cell,
    Cells,
    crossed,
    named,
    overlap,
    overlap_within,
    subset,
)
from tasks.analytics.suppression.protection import protect
from tasks.control.errors import Refused


SUPPRESSED = "suppressed"
"""How any suppressed count is shown: a mark of their own would tell the small ones."""

TOTAL = "total"

Count = int | None
"""A count as it may be shown; `None` is suppressed."""


def shown(cells: Cells, suppressed: frozenset[Cell] | None = None) -> dict[Cell, Count]:
    """Return the counts of a page as they may be shown, protected if that was not done yet."""
    off = protect(cells) if suppressed is None else suppressed
    return {cell: None if cell in off else cells.counts[cell] for cell in cells.shown}


def suppress_one_way(counts: Mapping[str, int], *, total_is_shown: bool = True) -> dict[str, Count]:
    """Return categories that exclude each other, with their total under `TOTAL` if it is shown.

    Raises:
        Refused: a category is called like the total.

    """
    _refuse_total(counts)
    table = crossed(
        {(each,): n for each, n in counts.items()}, ("category",), shows_totals=total_is_shown
    )
    safe = shown(table)
    rows = {each: safe[named(category=each)] for each in counts}
    return {**rows, TOTAL: safe[named()]} if total_is_shown else rows


def suppress_two_way(counts: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], Count]:
    """Return a table with totals of rows `(row, TOTAL)`, columns `(TOTAL, column)`, and of all.

    A combination that is missing counts 0 and is returned as such.

    Raises:
        Refused: a row or a column is called like the total.

    """
    _refuse_total({name: 0 for key in counts for name in key})
    safe = shown(crossed({(*key,): each for key, each in counts.items()}, ("row", "column")))
    rows = [*dict.fromkeys(row for row, _ in counts), TOTAL]
    columns = [*dict.fromkeys(column for _, column in counts), TOTAL]
    return {(row, column): safe[_at(row, column)] for row in rows for column in columns}


def suppress_top(counts: Mapping[str, int], whole: int) -> tuple[dict[str, Count], Count]:
    """Return counts among a shown whole that may overlap, as distinct patients by code do.

    A count is hidden where it is small, and where the whole less the count is.
    """
    everyone = named()
    table = Cells({everyone: whole})
    for each, count in counts.items():
        table += subset(named(code=each), count, everyone, whole)
    safe = shown(table)
    return {each: safe[named(code=each)] for each in counts}, safe[everyone]


def suppress_pairs(
    singles: Mapping[str, int], pairs: Mapping[tuple[str, str], int], whole: int | None = None
) -> tuple[dict[str, Count], dict[tuple[str, str], Count]]:
    """Return counts of codes and of pairs of codes in the same patient.

    A pair is hidden where it is small, or where those with one code and without the other are; if
    the whole population is shown, also where those with none of both, or without one, are.

    Raises:
        Refused: a pair is of a code that has no count.

    """
    table = Cells({_group(each): count for each, count in singles.items()})
    for each, count in singles.items() if whole is not None else ():
        table += subset(_group(each), count, named(), whole or 0)
    for (one, other), count in pairs.items():
        if not {one, other} <= singles.keys():
            raise Refused(
                "a pair is of a code without a count",
                seen=f"{one} and {other}",
                expected="a count of each code",
                do="count both codes alone as well",
            )
        table += _pair((one, singles[one]), (other, singles[other]), count, whole)
    safe = shown(table)
    return {each: safe[_group(each)] for each in singles}, {
        (one, other): safe[_group(one, other)] for one, other in pairs
    }


def share(count: Count, whole: Count, decimals: int = 1) -> float | None:
    """Return a percentage, or nothing where one of both counts is suppressed or the whole is 0.

    A percentage of a shown whole is the count itself, and with a shown count it is the whole.
    """
    if count is None or not whole:
        return None
    return round(100 * count / whole, decimals)


def spelled(count: Count) -> str:
    """Spell a count for a table: `1,204`, `0`, or `SUPPRESSED`."""
    return SUPPRESSED if count is None else f"{count:,}"


def _pair(one: tuple[str, int], other: tuple[str, int], both: int, whole: int | None) -> Cells:
    groups = (_group(one[0]), one[1]), (_group(other[0]), other[1])
    pair = _group(one[0], other[0])
    if whole is None:
        return overlap(pair, both, *groups)
    return overlap_within(pair, both, *groups, (named(), whole))


def _group(*codes: str) -> Cell:
    return frozenset(("code", code) for code in codes)


def _at(row: str, column: str) -> Cell:
    properties = {"row": row, "column": column}
    return named(**{name: each for name, each in properties.items() if each != TOTAL})


def _refuse_total(names: Mapping[str, int]) -> None:
    if TOTAL in names:
        raise Refused(
            "a category is called like the total",
            seen=f"category {TOTAL}",
            expected="another name",
            do="rename the category",
        )
