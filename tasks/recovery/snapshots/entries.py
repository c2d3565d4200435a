"""The entries of a dump, and which of them some tables need."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tasks.control.errors import Refused
from tasks.recovery.snapshots.selection import TableName


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
        line = _on_a_line(table)
        spelled = [f"{line[:at]} {line[at + 1 :]}" for at, sign in enumerate(line) if sign == "."]
        if any(each in self._plain for each in spelled):
            return True
        begins = tuple(f"{each} " for each in spelled)  # its owner's name has a space
        return any(name.startswith(begins) for name in self._names)


@dataclass(frozen=True)
class Picked:
    """The entries that are loaded, in the order of the dump, and what was left out.

    `left_out` belongs to the tables, and needs something that is not wanted.
    """

    entries: Sequence[Entry]
    left_out: Sequence[str]

    @property
    def listed(self) -> str:
        """The list as `pg_restore --use-list` takes it."""
        return "".join(f"{each.number}; 0 0 {each.text}\n" for each in self.entries)

    def holds_rows_of(self, table: str) -> bool:
        """Tell whether the rows of a table are loaded, by its schema and name."""
        return self._rows.are_of(table)

    @cached_property
    def _rows(self) -> Rows:
        return Rows(self.entries)

    def lacks(self, name: str) -> bool:
        """Tell whether something that was left out bears a name; partitions share it."""
        return any(each.endswith(f" {name}") for each in self.left_out)

    @property
    def indexes(self) -> int:
        """How many indexes are made that belong to no constraint."""
        return sum(each.kind == "INDEX" for each in self.entries)


def hold_large(entries: Iterable[Entry]) -> bool:
    """Tell whether entries hold large objects."""
    return any(each.text.startswith("BLOB") for each in entries)


def _on_a_line(name: str) -> str:
    """Spell a name as the list does, which has each entry on one line."""
    return name.replace("\n", " ").replace("\r", " ")


def pick(entries: Sequence[Entry], tables: Iterable[TableName]) -> Picked:
    """Choose what tables need: themselves, their rows, and what belongs to them.

    A partitioned table brings its partitions; a partition the definition of what it is one of.

    Raises:
        Refused: the dump does not tell a table by its name from another one.

    """
    picking = _Picking({each.number: each for each in entries})
    wanted = {_table(entries, table).number for table in tables}
    picking.run(_with_partitions(entries, wanted))
    return Picked(
        [each for each in entries if each.number in picking.chosen],
        [each.text.rpartition(" ")[0] for each in entries if picking.is_left_out(each)],
    )


def _table(entries: Iterable[Entry], wanted: TableName) -> Entry:
    begin = _on_a_line(f"{wanted.schema} {wanted.name} ")
    found = [each for each in entries if each.kind == "TABLE" and each.name.startswith(begin)]
    plain = [each for each in found if " " not in each.name.removeprefix(begin)]
    if len(plain) == 1:  # what follows is its owner; of the others, a name that goes on
        return plain[0]
    if len(found) != 1:
        raise Refused(
            "the dump does not tell this table from another one" if found else "that is no table",
            seen=f"{wanted}: {len(found)} entries of the dump",
            do="load the whole database",
        )
    return found[0]


def _with_partitions(entries: Sequence[Entry], wanted: set[int]) -> set[int]:
    """Add the partitions of tables, and theirs."""
    known = {each.number: each for each in entries}
    attached = [
        (child, each.needs - {child})
        for each in entries
        if each.kind == "TABLE ATTACH"
        for child in each.needs
        if child in known and known[child].name == each.name
    ]
    more = wanted | {child for child, parents in attached if parents & wanted}
    return wanted if more == wanted else _with_partitions(entries, more)


@dataclass
class _Picking:
    """What is chosen so far, of which tables the rows are wanted."""

    known: dict[int, Entry]
    chosen: set[int] = field(default_factory=set)
    wanted: Collection[int] = ()

    def run(self, wanted: Collection[int]) -> None:
        """Choose until nothing comes along any more."""
        self.wanted = wanted
        for each in self.known.values():
            if each.number in wanted or each.kind in OF_DATABASES:
                self._choose(each)
        before = -1
        while before != len(self.chosen):
            before = len(self.chosen)
            for each in self.known.values():
                if each.number not in self.chosen and self._comes_along(each):
                    self._choose(each)

    def is_left_out(self, each: Entry) -> bool:
        """Tell whether an entry needs a wanted table, and more."""
        if each.number in self.chosen:
            return False
        if each.kind != "FK CONSTRAINT":
            return bool(each.needs & set(self.wanted))
        tables = [self.known[n] for n in each.needs & self.chosen if self.known[n].kind == "TABLE"]
        return any(each.name.startswith(f"{one.name.rpartition(' ')[0]} ") for one in tables)

    def _choose(self, entry: Entry) -> None:
        """Choose an entry, and what it needs."""
        if entry.number in self.chosen:
            return
        self.chosen.add(entry.number)
        for number in entry.needs:
            if number in self.known:
                self._choose(self.known[number])

    def _comes_along(self, entry: Entry) -> bool:
        if entry.kind == "TABLE DATA":
            return bool(entry.needs & set(self.wanted))
        if entry.kind not in OWNED:
            return False
        needed = [self.known[number] for number in entry.needs if number in self.known]
        there = [each for each in needed if each.number in self.chosen]
        if entry.kind == "SEQUENCE":
            there = [each for each in there if each.kind == "TABLE"]
        elif entry.kind not in OF_SCHEMAS:
            there = [each for each in there if each.kind != "SCHEMA"]
        has_come = self.wanted if entry.kind == "FK CONSTRAINT" else self.chosen
        lacking = [
            each
            for each in needed
            if each.number not in (has_come if each.kind == "TABLE" else self.chosen)
        ]
        return bool(there) and not any(each.kind in RELATIONS for each in lacking)
