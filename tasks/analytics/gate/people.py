"""Counts of people on a page: none is small, and each is one that may be shown."""

import re
from collections.abc import Iterator

from tasks.analytics.gate import reading
from tasks.analytics.gate.check import Check
from tasks.analytics.gate.rules import PageRules
from tasks.analytics.gate.validation import check_numbers, none_of
from tasks.analytics.suppression.cells import THRESHOLD


_PEOPLE = re.compile(r"\b(?:patients?|visits?)\b", re.IGNORECASE)
_DAYS = re.compile(r"\d+ days?\b")
_SMALL = range(1, THRESHOLD)

_ORIGIN = "Where this comes from"
"""Heading of the table that says how many rows were read."""


def small_counts(markdown: str, rules: PageRules) -> Iterator[Check]:
    """See that no column of patients shows 1 to 10; a column that is not found is an error."""
    cells, columns = reading.cells(markdown), reading.columns(markdown)
    for heading, titles in rules.clinical.items():
        for title in sorted(titles):
            name = f"page: no small count in {heading}, {title}"
            if (heading, title) not in columns:
                yield Check(name, "error", seen="the column is missing")
                continue
            column = [cell for cell in cells if (cell.heading, cell.column) == (heading, title)]
            numbers = [number for cell in column if cell.row for number in cell.numbers]
            # From the threshold on all are alike, and few that long would fit a whole number.
            counts = [int(min(abs(number), THRESHOLD)) for number in numbers]
            yield none_of(name, counts, _SMALL)


def unknown_counts(markdown: str, rules: PageRules) -> Iterator[Check]:
    """See that each count of people is one that may be shown, in columns, headlines and rows.

    A total that was suppressed in one table must not stand anywhere else. Other numbers of the
    page, those of messages say, may be the same by chance; so it is asked of people alone.
    """
    if rules.shown is None:
        return
    numbers = [*_in_columns(markdown, rules), *_in_rows(markdown), *_in_headlines(markdown)]
    strange = [int(number not in rules.shown) for number in numbers]
    yield check_numbers("page: every count of people may be shown", strange, 0, 0)


def _in_columns(markdown: str, rules: PageRules) -> Iterator[float]:
    for cell in reading.cells(markdown):
        if cell.row and cell.column in rules.clinical.get(cell.heading, ()):
            yield from cell.numbers


def _in_rows(markdown: str) -> Iterator[float]:
    """Yield the numbers of rows of people, of the headline figures and of what was read."""
    headings = {markdown.partition("\n")[0].lstrip("#").strip(), _ORIGIN}
    rows: dict[tuple[int, int], list[reading.TableCell]] = {}
    for cell in reading.cells(markdown):
        if cell.heading in headings and cell.row:
            rows.setdefault((cell.table, cell.row), []).append(cell)
    for first, *others in rows.values():
        if _PEOPLE.search(first.text) and not first.text.startswith("window"):
            yield from (number for cell in others for number in cell.numbers)


def _in_headlines(markdown: str) -> Iterator[float]:
    """Yield the numbers beside the words of people above the first heading of a part."""
    above = re.split(r"^##|^\|", markdown, maxsplit=1, flags=re.MULTILINE)[0]
    for part in re.split(r"[·\n]", above):
        if _PEOPLE.search(part):
            yield from reading.numbers(_DAYS.sub("", part))
