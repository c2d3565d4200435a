"""Which entries of a dump some tables need, and what is left out."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tasks.control.errors import Refused
from tasks.postgres.dump_toc import Entry
from tasks.postgres.names import split
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
        return "".join(f"{each.number}; 0 0 {each.kind}\n" for each in self.entries)

    def holds_rows_of(self, table: str) -> bool:
        """Tell whether the rows of a table are loaded, by its schema and name as seals have it."""
        return split(table) in self._rows

    def holds_state_of(self, sequence: str) -> bool:
        """Tell whether the state of a sequence is loaded, by its schema and name."""
        return any(
            (each.kind, each.schema, each.tag) == ("SEQUENCE SET", *split(sequence))
            for each in self.entries
        )

    @cached_property
    def _rows(self) -> set[tuple[str, ...]]:
        return {(each.schema, each.tag) for each in self.entries if each.kind == "TABLE DATA"}


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
        [spelled(each) for each in entries if picking.is_left_out(each)],
    )


def spelled(entry: Entry) -> str:
    """Spell an entry: its kind, schema and name."""
    return " ".join(part for part in (entry.kind, entry.schema, entry.tag) if part)


def _table(entries: Iterable[Entry], wanted: TableName) -> Entry:
    for each in entries:
        if (each.kind, each.schema, each.tag) == ("TABLE", wanted.schema, wanted.name):
            return each
    raise Refused(
        "no such table in the dump",
        seen=wanted,
        do="hl7ops snapshot show lists the tables of a snapshot",
    )


def _with_partitions(entries: Sequence[Entry], wanted: set[int]) -> set[int]:
    """Add the partitions of tables, and theirs."""
    known = {each.number: each for each in entries}
    attached = [
        (child, each.needs - {child})
        for each in entries
        if each.kind == "TABLE ATTACH"
        for child in each.needs
        if child in known and (known[child].schema, known[child].tag) == (each.schema, each.tag)
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
        return any(
            each.schema == one.schema and each.tag.startswith(f"{one.tag} ") for one in tables
        )

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
