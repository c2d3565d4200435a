"""Which entries of a dump some tables need, and what is left out."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tasks.control.errors import Refused
from tasks.recovery.copies.entries import (
    OF_DATABASES,
    OF_SCHEMAS,
    OWNED,
    RELATIONS,
    Entry,
    Rows,
    on_a_line,
)
from tasks.recovery.snapshots.selection import TableName


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
    begin = on_a_line(f"{wanted.schema} {wanted.name} ")
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
