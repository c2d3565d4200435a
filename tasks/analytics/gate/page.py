"""The page of a report, held to its rules before anybody sees it."""

import html
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from tasks.analytics.gate import reading
from tasks.analytics.gate.check import Check, attempted
from tasks.analytics.gate.rules import PageRules
from tasks.analytics.gate.validation import Asked, validate
from tasks.analytics.suppression.cells import THRESHOLD


if TYPE_CHECKING:
    from pandas import DataFrame


IsKnown = Callable[[Sequence[str]], int]

_EMPTY = r"\b(?:NaN|nan|NaT)\b|(?<![\w-])[-+]?inf\b(?!-)|<NA>|(?<=\| )None(?= \|)|[=:] None\b"

_PATTERNS = {
    "no e-mail address": r"[\w.+-]+@[\w-]+\.[A-Za-z]{2,}",
    "no social security number": r"(?<!\d)\d{3}[- ]\d{2}[- ]\d{4}(?!\d)",
    "no telephone number": r"(?<!\d)(?:\(\d{3}\) ?|\d{3}[-. /])\d{3}[-. /]\d{4}(?!\d)",
    "no medical record number": r"(?i)\bmrn\b\W{0,3}\d",
}

_RECORD = r"(?i)^(?:mrn\W{0,2}\d+|[a-z]{0,4}-?\d{6,})$"

_ACTIVE = (
    r"(?i)<\s*(?:script|style|iframe|object|embed|link|meta|base|form)\b|<[^>]*[\s/\"']on\w+\s*="
)
_RUNS = r"(?i)(?:java|vb)script\s*:|data:text"
"""What a link must not lead to."""

_REMOTE = (
    r"(?i)(?:href|src|srcset|poster|background|data)\s*=\s*[\"']?\s*(?:https?:)?//"
    r"|@import|url\(\s*[\"']?(?:https?:)?//"
)


def check_page(markdown: str, rules: PageRules, is_known: IsKnown) -> list[Check]:
    """Hold a page to its rules.

    `is_known` counts which of some tokens are an identifier, a name, a postal code or a birth date
    of a patient; the caller asks the database. What it raises is not told, only that it did. A
    part that cannot be checked is an error under its own name, and the others are checked still.
    """
    read = reading.lines(markdown)
    parts: dict[str, Callable[[], Iterable[Check]]] = {
        "its size, first line and tables": partial(_whole, markdown, rules),
        "its words": partial(_words, read),
        "numbers of records": partial(_records, read, rules),
        "its dates": partial(_dates, read, rules),
        "its counts": partial(_counts, markdown, rules),
        "what it embeds": partial(_embedded, markdown),
        "identifiers of patients": lambda: [_strangers(read, rules, is_known)],
    }
    return [
        check
        for name, ask in parts.items()
        for check in attempted(f"page: {name} can be checked", ask)
    ]


def check_numbers(name: str, numbers: Sequence[int], low: int, high: int) -> Check:
    """Hold numbers between two bounds; how many lie outside is told, and none of them."""

    def make(known: Any) -> Any:  # noqa: ANN401 - the library is untyped
        return known.ExpectColumnValuesToBeBetween(column="number", min_value=low, max_value=high)

    outside = sum(not low <= number <= high for number in numbers)
    seen = f"{outside} of {len(numbers)}"
    return validate(_numbers(numbers), [Asked(name, make, ("number",), seen=seen)])[0]


def _whole(markdown: str, rules: PageRules) -> Iterator[Check]:
    lines = markdown.splitlines()
    tables = {cell.table for cell in reading.cells(markdown)}
    begins = bool(lines) and re.match(r"# \S", lines[0]) is not None
    yield check_numbers("page: size in bytes", [len(markdown.encode())], 1, rules.most_bytes - 1)
    yield check_numbers("page: the first line is the verdict", [int(begins)], 1, 1)
    yield check_numbers("page: tables", [len(tables)], 1, len(markdown) + 1)


def _words(read: Sequence[str]) -> list[Check]:
    patterns = {"no NaN, None or inf": _EMPTY, **_PATTERNS}
    return _unmatched(read, {f"page: {name}": each for name, each in patterns.items()})


def _records(read: Sequence[str], rules: PageRules) -> list[Check]:
    """See that no token looks like the number of a record, but for the codes that are known."""
    suspects = [token for token in reading.tokens(read) if token not in rules.codes]
    return _unmatched(suspects, {"page: no number of a record": _RECORD})


def _dates(read: Sequence[str], rules: PageRules) -> Iterator[Check]:
    days = [0 if day is None else day.toordinal() for day in reading.days(read)]
    yield check_numbers(
        "page: dates in the window", days, rules.first.toordinal(), rules.last.toordinal()
    )


def _counts(markdown: str, rules: PageRules) -> Iterator[Check]:
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
            yield _none_small(name, counts)


def _none_small(name: str, counts: list[int]) -> Check:
    small = list(range(1, THRESHOLD))

    def make(known: Any) -> Any:  # noqa: ANN401 - the library is untyped
        return known.ExpectColumnValuesToNotBeInSet(column="number", value_set=small)

    seen = f"{sum(count in small for count in counts)} of {len(counts)}"
    return validate(_numbers(counts), [Asked(name, make, ("number",), seen=seen)])[0]


def _embedded(markdown: str) -> list[Check]:
    """See that nothing runs and nothing is fetched, in the page and in its pictures."""
    text, drawn = reading.without_pictures(markdown), reading.pictures(markdown)
    spelled = [html.unescape(each) for each in (text, *drawn)]
    return [
        *_unmatched([text, *drawn], {"page: nothing that runs": _ACTIVE}),
        *_unmatched(spelled, {"page: no link runs": _RUNS}),
        *_unmatched([text], {"page: nothing is fetched": _REMOTE}),
        *_unmatched(drawn, {"page: pictures fetch nothing": _REMOTE}),
        *_unmatched(reading.sources(markdown), {"page: pictures are embedded": r"^(?!data:$)"}),
        check_numbers("page: pictures can be read", [int(not each) for each in drawn], 0, 0),
    ]


def _strangers(read: Sequence[str], rules: PageRules, is_known: IsKnown) -> Check:
    name = "page: no identifier of a patient"
    suspects = [token for token in reading.tokens(read) if token not in rules.codes]
    try:
        count = int(is_known(suspects))
    except Exception as error:  # noqa: BLE001 - its text may quote a token
        return Check(name, "error", seen=f"asking raised {type(error).__name__}")
    return check_numbers(name, [count], 0, 0)


def _unmatched(texts: Sequence[str], patterns: dict[str, str]) -> list[Check]:
    """See that no text matches; how many do is told, and none of them."""
    import pandas as pd  # noqa: PLC0415 - half a second

    frame = pd.DataFrame({"text": list(texts)}, dtype="str")

    def asked(name: str, pattern: str) -> Asked:
        def make(known: Any) -> Any:  # noqa: ANN401 - the library is untyped
            return known.ExpectColumnValuesToNotMatchRegex(column="text", regex=pattern)

        matches = sum(re.search(pattern, text) is not None for text in texts)
        return Asked(name, make, ("text",), seen=f"{matches} of {len(texts)}")

    return validate(frame, [asked(*each) for each in patterns.items()])


def _numbers(numbers: Sequence[int]) -> "DataFrame":
    import pandas as pd  # noqa: PLC0415 - half a second

    return pd.DataFrame({"number": list(numbers)}, dtype="int64")
