"""The page of a report, held to its rules before anybody sees it."""

import html
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from tasks.analytics.gate import people, reading
from tasks.analytics.gate.check import Check, attempted
from tasks.analytics.gate.rules import PageRules
from tasks.analytics.gate.validation import Asked, check_numbers, validate


IsKnown = Callable[[Sequence[str]], int]

_EMPTY = r"\b(?:NaN|nan|NaT)\b|(?<![\w-])[-+]?inf\b(?!-)|<NA>|(?<=\| )None(?= \|)|[=:] None\b"

_PATTERNS = {
    "no e-mail address": r"[\w.+-]+@[\w-]+\.[A-Za-z]{2,}",
    "no social security number": r"(?<!\d)\d{3}[- ]\d{2}[- ]\d{4}(?!\d)",
    "no telephone number": r"(?<!\d)(?:\(\d{3}\) ?|\d{3}[-. /])\d{3}[-. /]\d{4}(?!\d)",
    "no medical record number": r"(?i)\bmrn\b\W{0,3}\d",
    "no day of a year without its century": r"(?<![\d/-])"
    r"(?:\d{1,2}/\d{1,2}/\d{2}|\d{1,2}-\d{1,2}-\d{2})(?![\d/-])",
}

_RECORD = r"(?i)^(?:mrn\W{0,2}\d+|[a-z]{0,4}-?\d{6,})$"

_ACTIVE = (
    r"(?i)<\s*(?:script|style|iframe|object|embed|link|meta|base|form)\b|<[^>]*[\s/\"']on\w+\s*="
)
_RUNS = r"(?i)(?:java|vb)script\s*:|data:text"
"""What a link must not lead to."""

_TAGS = r"(?i)<\s*(?:table|t[rhd])\b"
"""A table that would be shown, and not be looked at."""

_REMOTE = (
    r"(?i)(?:href|src|srcset|poster|background|data)\s*=\s*[\"']?\s*(?:https?:)?//"
    r"|@import|url\(\s*[\"']?(?:https?:)?//"
)


def check_page(markdown: str, rules: PageRules, is_known: IsKnown) -> list[Check]:
    """Hold a page to its rules.

    `is_known` counts which of some tokens identify a patient; the caller asks the database, which
    knows what its contract tells. What it raises is not told, only that it did. A part that cannot
    be checked is an error under its own name, and the others are checked still.
    """
    read = reading.lines(markdown)
    parts: dict[str, Callable[[], Iterable[Check]]] = {
        "its size, first line and tables": partial(_whole, markdown, rules),
        "its words": partial(_words, read),
        "numbers of records": partial(_records, read, rules),
        "its dates": partial(_dates, read, rules),
        "its small counts": partial(people.small_counts, markdown, rules),
        "its counts of people": partial(people.unknown_counts, markdown, rules),
        "what it embeds": partial(_embedded, markdown),
        "identifiers of patients": lambda: [_strangers(read, rules, is_known)],
    }
    return [
        check
        for name, ask in parts.items()
        for check in attempted(f"page: {name} can be checked", ask)
    ]


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
    """See that no token looks like the number of a record, but for codes and names of systems."""
    known = rules.codes | rules.names
    suspects = [token for token in reading.tokens(read) if token not in known]
    return _unmatched(suspects, {"page: no number of a record": _RECORD})


def _dates(read: Sequence[str], rules: PageRules) -> Iterator[Check]:
    days = [0 if day is None else day.toordinal() for day in reading.days(read)]
    yield check_numbers(
        "page: dates in the window", days, rules.first.toordinal(), rules.last.toordinal()
    )


def _embedded(markdown: str) -> list[Check]:
    """See that nothing runs and nothing is fetched, in the page and in its pictures."""
    text, drawn = reading.without_pictures(markdown), reading.pictures(markdown)
    spelled = [html.unescape(each) for each in (text, *drawn)]
    return [
        *_unmatched([text, *drawn], {"page: nothing that runs": _ACTIVE}),
        *_unmatched(spelled, {"page: no link runs": _RUNS}),
        *_unmatched([text], {"page: nothing is fetched": _REMOTE, "page: no table of tags": _TAGS}),
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
