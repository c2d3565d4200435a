"""The entries of a dump, as its list tells them: kinds, names, and what each depends on."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property


OWNED = (
    "ACL",
    "CHECK CONSTRAINT",
    "COMMENT",
    "CONSTRAINT",
    "DEFAULT",
    "FK CONSTRAINT",
    "INDEX ATTACH",
    "INDEX",
    "POLICY",
    "ROW SECURITY",
    "RULE",
    "SECURITY LABEL",
    "SEQUENCE OWNED BY",
    "SEQUENCE SET",
    "SEQUENCE",
    "STATISTICS DATA",
    "STATISTICS",
    "TABLE ATTACH",
    "TRIGGER",
)
"""Kinds of entries that come along with what they depend on."""

OF_SCHEMAS = ("ACL", "COMMENT", "SECURITY LABEL")
"""Those that belong to a schema which is all that they depend on."""

OF_DATABASES = ("DATABASE", "DATABASE PROPERTIES")
"""Those without which there is no database to load anything into."""

RELATIONS = ("TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "CONSTRAINT", "INDEX")
"""Kinds that nothing is left out for: what needs one of these that is not wanted, is itself."""

_LINE = re.compile(r"^(\d+); \d+ \d+ (.+)$")

_DEPENDS = ";\tdepends on:"

_KINDS = sorted({*OWNED, *RELATIONS, *OF_DATABASES, "TABLE DATA", "SCHEMA"}, key=len, reverse=True)


@dataclass(frozen=True)
class Entry:
    """One entry: its number, what it says, and the numbers of those that it depends on."""

    number: int
    text: str
    needs: frozenset[int] = frozenset()

    @cached_property
    def kind(self) -> str:
        """Its kind; of those that are not told apart here the first word."""
        known = (kind for kind in _KINDS if self.text.startswith(f"{kind} "))
        return next(known, self.text.partition(" ")[0])

    @property
    def name(self) -> str:
        """Schema, name and owner, as they stand in the list."""
        return self.text.removeprefix(f"{self.kind} ")


def parse(listed: str) -> list[Entry]:
    """Read what `pg_restore --list --verbose` says."""
    found: list[Entry] = []
    for line in listed.splitlines():
        if match := _LINE.match(line):
            found.append(Entry(int(match[1]), match[2]))
        elif line.startswith(_DEPENDS) and found:
            needs = frozenset(map(int, line.removeprefix(_DEPENDS).split()))
            found[-1] = Entry(found[-1].number, found[-1].text, needs)
    return found


class Rows:
    """Which tables' rows a dump holds: the list has a space between schema, name and owner."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """Look at the entries of a dump, or at some of them."""
        self._names = [each.name for each in entries if each.kind == "TABLE DATA"]
        self._plain = {name.rpartition(" ")[0] for name in self._names}

    def are_of(self, table: str) -> bool:
        """Tell whether a table's are among them, by its schema and name with a dot between."""
        line = on_a_line(table)
        spelled = [f"{line[:at]} {line[at + 1 :]}" for at, sign in enumerate(line) if sign == "."]
        if any(each in self._plain for each in spelled):
            return True
        begins = tuple(f"{each} " for each in spelled)  # its owner's name has a space
        return any(name.startswith(begins) for name in self._names)


def hold_large(entries: Iterable[Entry]) -> bool:
    """Tell whether entries hold large objects."""
    return any(each.text.startswith("BLOB") for each in entries)


def on_a_line(name: str) -> str:
    """Spell a name as the list does, which has each entry on one line."""
    return name.replace("\n", " ").replace("\r", " ")
