"""A page as a reader, and a machine, takes it apart: tables, lines, tokens, dates and pictures."""

import base64
import binascii
import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime


_PICTURE = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]*)", re.IGNORECASE)
_EMBEDDED = re.compile(r"data:image/[\w.+-]+;base64,[A-Za-z0-9+/=]*", re.IGNORECASE)
_ENDS = re.compile(r"^\||(?<!\\)\|$")
_RULE = re.compile(r"^[\s|:-]+$")
_BAR = re.compile(r"(?<!\\)\|")
_TOKEN = re.compile(r"[^\s|`*<>()\[\]{}\"',;]+")
_PART = re.compile(r"\W+|_+")
_NUMBER = re.compile(r"(?<![^\W_])(?<![.,])[-+]?\d[\d,]*(?:\.\d+)?(\s*%)?")
_PLAIN = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?%?|[-+]?\d{1,3}\.\d+%?")
_DAY = re.compile(
    r"(?<!\d)(\d{4}-\d{1,2}-\d{1,2}|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}/\d{1,2}/\d{4}"
    r"|\d{1,2}-\d{1,2}-\d{4}|\d{1,2}\.\d{1,2}\.\d{4})(?!\d)"
)
_MONTH = r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_ORDINAL = r"(\d{1,2})(?:st|nd|rd|th)?"
_NAMED_DAY = re.compile(rf"\b{_ORDINAL}\.?[ -]{_MONTH},?[ -](\d{{4}})\b", re.IGNORECASE)
_DAY_NAMED = re.compile(rf"\b{_MONTH}[ -]{_ORDINAL},?[ -](\d{{4}})\b", re.IGNORECASE)
_IMAGE = re.compile(r"!\[(?:(?:\\.|[^\[\]\\])*\]\((data:)\))?")
_FORMS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%m/%d/%Y", "%d/%m/%Y"),
    *("%m-%d-%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %b %Y"),
)
_SOURCE = re.compile(
    r"^\s*\[[^\]]+\]:\s*(\S+)"  # [name]: here
    r"|\b(?:src|srcset|poster)\s*=\s*[\"']?([^\"'\s>]+)",
    re.IGNORECASE | re.MULTILINE,
)


SHORTEST = 5
"""A token of fewer characters is no identifier."""


@dataclass(frozen=True)
class TableCell:
    """One cell of a table: the heading above it, which table, column, row (0 is its head), text."""

    heading: str
    table: int
    column: str
    row: int
    text: str

    @property
    def numbers(self) -> list[float]:
        """The numbers of the cell that are no percentages."""
        return numbers(self.text)


def numbers(text: str) -> list[float]:
    """Return the numbers of a text that are no percentages."""
    found = _NUMBER.finditer(text)
    return [float(each.group().replace(",", "").rstrip(".")) for each in found if not each.group(1)]


def without_pictures(markdown: str) -> str:
    """Return the text without what is embedded in it."""
    return _EMBEDDED.sub("data:", markdown)


def pictures(markdown: str) -> list[str]:
    """Return the text of each embedded SVG; one that cannot be read is an empty one.

    Charts carry words and numbers too: titles, axes, and the labels that screen readers read.
    """
    found = []
    for match in _PICTURE.finditer(markdown):
        try:
            found.append(base64.b64decode(match.group(1)).decode())
        except (binascii.Error, UnicodeDecodeError):
            found.append("")
    return found


def lines(markdown: str) -> list[str]:
    """Return all that can be read: the lines of the page, and texts and labels of its charts."""
    read = [html.unescape(line) for line in without_pictures(markdown).splitlines() if line.strip()]
    for picture in pictures(markdown):
        read += map(html.unescape, re.findall(r">([^<>]*[^<>\s][^<>]*)<", picture))
        read += map(html.unescape, re.findall(r'aria-label="([^"]*)"', picture))
    return read


def cells(markdown: str) -> list[TableCell]:
    """Return the cells of all tables, row by row; row 0 holds the titles of the columns.

    A row may lack the bars at its ends, and a table goes on to the next empty line, as in
    GitHub-flavoured markdown (section 4.10 of its specification).
    """
    found: list[TableCell] = []
    heading, table, row = "", 0, 0
    columns: list[str] = []
    before: list[str] = []
    for line in without_pictures(markdown).splitlines():
        if line.startswith("#") or not ("|" in line or (columns and line.strip())):
            before, columns = [], []
            heading = line.lstrip("#").strip() if line.startswith("#") else heading
            continue
        texts = [html.unescape(text.strip()) for text in _BAR.split(_ENDS.sub("", line.strip()))]
        if before and not columns and _RULE.match(line):
            table, columns, row = table + 1, before, 0
            found += [TableCell(heading, table, title, 0, title) for title in columns]
        elif columns:
            row += 1
            pairs = zip([*columns, *[""] * len(texts)], texts, strict=False)
            found += [TableCell(heading, table, title, row, text) for title, text in pairs]
        before = texts
    return found


def columns(markdown: str) -> set[tuple[str, str]]:
    """Return the columns of all tables, each with the heading above its table."""
    return {(cell.heading, cell.column) for cell in cells(markdown)}


def tokens(read: Sequence[str]) -> list[str]:
    """Return what may be an identifier: tokens of five characters and more, and their parts.

    Numbers with thousands set apart, and decimals, are not; digits in one run are.
    """
    found: dict[str, None] = {}
    for line in read:
        for token in _TOKEN.findall(line):
            whole = token.strip(".:!?#=+-/\\")
            if _PLAIN.fullmatch(whole):
                continue
            for each in (whole, *_PART.split(whole)):
                if len(each) >= SHORTEST:
                    found[each] = None
    return list(found)


def days(read: Sequence[str]) -> list[date | None]:
    """Return all dates, whichever way they are written; one that cannot be is `None`."""
    return [_parsed(text) for line in read for text in _spelled(line)]


def sources(markdown: str) -> list[str]:
    """Return where each picture of the page comes from; nothing where that cannot be told."""
    text = without_pictures(markdown)
    return _IMAGE.findall(text) + ["".join(found) for found in _SOURCE.findall(text)]


def _spelled(line: str) -> Iterator[str]:
    yield from _DAY.findall(line)
    yield from (" ".join(parts) for parts in _NAMED_DAY.findall(line))
    yield from (f"{day} {month} {year}" for month, day, year in _DAY_NAMED.findall(line))


def _parsed(text: str) -> date | None:
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None
