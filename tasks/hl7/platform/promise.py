"""What a view of the contract promises: its columns, their types, meanings and value sets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


TYPES: Mapping[str, tuple[str, ...]] = {
    "bigint": ("bigint", "integer", "smallint"),
    "boolean": ("boolean",),
    "date": ("date",),
    "number": ("numeric", "double precision", "real", "bigint", "integer", "smallint"),
    "text": ("text", "character varying", "character"),
    "timestamptz": ("timestamp with time zone",),
}
"""The types of PostgreSQL that a column of a contract's type may have; a domain counts as its base.

A timestamp without a zone is not taken: what hour it means depends on who asks.
"""


@dataclass(frozen=True)
class Column:
    """One column of a view: it must be there, and holds NULL only where `is_nullable` says so."""

    name: str
    type: str
    meaning: str
    is_nullable: bool = False
    values: Mapping[str, str] | None = None
    references: str | None = None
    source: str | None = None

    @property
    def expression(self) -> str:
        """Where the embedded platform takes it from."""
        return self.source or self.name


@dataclass(frozen=True)
class View:
    """One view; its first column is its key. One that is not required may be missing as a whole."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    is_required: bool = False

    @property
    def key(self) -> Column:
        """The column whose value no two rows share."""
        return self.columns[0]


def markdown(views: Iterable[View]) -> str:
    """Return the contract as a page for whoever defines the views over another platform."""
    return "\n".join(line for view in views for line in _section(view))


def _section(view: View) -> Iterable[str]:
    demand = "required" if view.is_required else "optional"
    yield f"## {view.name}\n"
    yield f"{view.meaning[0].upper()}{view.meaning[1:]}; {demand}. Key: `{view.key.name}`.\n"
    yield "| column | type | NULL | meaning |"
    yield "|---|---|---|---|"
    for column in view.columns:
        yield f"| `{column.name}` | {column.type} | {_null(column)} | {_meaning(column)} |"
    yield ""


def _null(column: Column) -> str:
    return "yes" if column.is_nullable else "no"


def _meaning(column: Column) -> str:
    """Return the meaning with the value set, and where a reference leads."""
    text = column.meaning
    if column.references:
        text += f"; a row of `{column.references}`"
    if column.values:
        text += ": " + ", ".join(f"`{value}` {means}" for value, means in column.values.items())
    return text
