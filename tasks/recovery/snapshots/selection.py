"""What of a snapshot is wanted: databases, tables, or all of it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from tasks.control.errors import Refused
from tasks.postgres.names import joined
from tasks.postgres.table_digest import LARGE_OBJECTS
from tasks.repository.seal import Fingerprint


_PART = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')

PARTS = 3
"""Of the name of a table: database, schema and table."""


@dataclass(frozen=True)
class TableName:
    """The name of a table."""

    database: str
    schema: str
    name: str

    @property
    def full(self) -> str:
        """Schema and table, as seals call it."""
        return joined(self.schema, self.name)

    def __str__(self) -> str:
        """Spell it with its database."""
        return joined(self.database, self.schema, self.name)


@dataclass(frozen=True)
class Selection:
    """Databases and tables that are wanted; where both are empty, everything is."""

    databases: Sequence[str] = ()
    tables: Sequence[TableName] = ()

    @property
    def is_all(self) -> bool:
        """Whether everything is wanted."""
        return not self.databases and not self.tables

    def among(self, dumped: Iterable[str]) -> list[str]:
        """Return the databases that something is wanted of, in the order of the dumps."""
        wanted = {*self.databases, *(table.database for table in self.tables)}
        return [name for name in dumped if self.is_all or name in wanted]

    def tables_of(self, database: str) -> list[TableName]:
        """Return the tables that are wanted of a database; none: all of it is."""
        if database in self.databases:
            return []
        return [table for table in self.tables if table.database == database]

    def __str__(self) -> str:
        """Spell what is wanted, for people."""
        return ", ".join([*self.databases, *map(str, self.tables)]) or "everything"


ALL = Selection()


def parse(databases: Iterable[str], tables: Iterable[str]) -> Selection:
    """Read what is wanted.

    Args:
        databases: names.
        tables: each as DATABASE.SCHEMA.TABLE; a part that holds a dot stands in double quotes.

    Raises:
        Refused: a table is not named so.

    """
    return Selection(tuple(databases), tuple(_table(text) for text in tables))


def _table(text: str) -> TableName:
    found = [(quoted.replace('""', '"') or bare) for quoted, bare in _PART.findall(text)]
    if len(found) != PARTS or len(_PART.sub("", text)) != PARTS - 1:
        raise Refused(
            "that names no table",
            seen=text,
            expected='DATABASE.SCHEMA.TABLE, such as hl7.hl7.messages or hl7."My Schema".notes',
        )
    return TableName(*found)


def see_that_it_is_there(selection: Selection, dumped: Sequence[str], sealed: Fingerprint) -> None:
    """See that a snapshot holds what is wanted.

    Raises:
        Refused: it does not; names what it holds instead.

    """
    for database in selection.databases:
        if database not in dumped:
            raise _absent(database, dumped)
    known = {
        f"{database}.{name}"
        for database, kind, name in (key.partition(": table ") for key in sealed.definitions or {})
        if kind
    }
    known |= {each.name for each in sealed.tables if each.table != LARGE_OBJECTS}
    for table in selection.tables:
        if str(table) not in known:
            raise _absent(str(table), sorted(known))


def _absent(wanted: str, there: Sequence[str]) -> Refused:
    near = get_close_matches(wanted, there, 3, 0) or there
    return Refused("the snapshot does not hold that", seen=wanted, expected=", ".join(near))
