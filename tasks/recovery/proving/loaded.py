"""Hold the definitions of a database that was loaded from a dump against that dump."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from tasks.postgres.names import quoted
from tasks.postgres.schema_dump import Definition
from tasks.recovery.copies.fixpoint import LoadedDump
from tasks.recovery.proving import expectations
from tasks.recovery.proving.comparison import Comparison, Part, Row, of_extensions
from tasks.repository.fingerprint import OF_ALL, Found
from tasks.repository.proof import Check
from tasks.repository.seal import EVERY_KIND


OF_DATABASE = ("database ", "database properties ", "comment database ", "acl database ")
"""What is about a database itself, and so not in one that has another name."""


@dataclass
class Compared:
    """The definitions of a dump beside those of a copy, and what the dump does not carry.

    `rows` hold what the copy must have: what the dump says, or what that becomes by being loaded.
    """

    rows: list[Row] = field(default_factory=list)
    not_carried: list[str] = field(default_factory=list)


def compare(
    dumped: Iterable[Definition],
    copied: Iterable[Definition],
    fixpoint: Callable[[], Iterable[Definition]],
    *,
    across: bool = False,
) -> Compared:
    """Compare the definitions of a copy with those of the dump that it was loaded from.

    One that is spelled otherwise in the copy must be what the dump's becomes by being loaded. One
    that is lost, or not as it was, wherever the dump is loaded, is what a dump does not carry.

    Args:
        dumped: the definitions of the dump.
        copied: those of the copy.
        fixpoint: loads the dump's once more and returns what they became.
        across: whether the copy is served by another major version, which spells in its own way.

    """
    source = {each.name: each for each in dumped}
    copy = {each.name: each.digest for each in copied}
    if {name: each.digest for name, each in source.items()} == copy:
        return Compared([Row(name, digest, digest) for name, digest in sorted(copy.items())])
    again = {each.name: each.digest for each in fixpoint()}
    compared = Compared()
    for name in sorted(source.keys() | copy.keys()):
        _compare(compared, name, source.get(name), copy.get(name), again.get(name), across=across)
    return compared


def _compare(
    compared: Compared,
    name: str,
    source: Definition | None,
    copied: str | None,
    again: str | None,
    *,
    across: bool,
) -> None:
    wanted = source.digest if source else None
    if copied == wanted:
        compared.rows.append(Row(name, wanted, copied))
    elif name.startswith(OF_DATABASE):
        same = across and copied is not None and wanted is not None
        compared.rows.append(Row(name, copied if same else wanted, copied))
    elif copied != again:
        compared.rows.append(Row(name, again if again is not None else wanted, copied))
    else:
        compared.rows.append(Row(name, again, copied))
        is_respelled = source is not None and copied is not None
        if not is_respelled or not (across or (source and source.is_expressive)):
            compared.not_carried.append(name)


def checks(
    part: Part,
    found: Found,
    dumps: Mapping[str, LoadedDump],
    problems: Collection[str] = (),
    *,
    across: bool,
) -> list[Check]:
    """Hold the definitions of databases that were loaded against their dumps.

    Args:
        part: what was sealed.
        found: what the copy holds.
        dumps: by database, what it was loaded from.
        problems: what could not be loaded, as `load` tells it.
        across: whether the copy is served by another major version than the source.

    """
    rows, not_carried = _shared(part, found, across=across), of_extensions(part, found)
    unread = {each.database for each in found.omitted if EVERY_KIND in each.kinds}
    for database, dump in dumps.items():
        if database in unread:
            continue
        prefix = f"{quoted(database)}: "
        copied = [each for name, each in found.definitions.items() if name.startswith(prefix)]
        compared = compare(dump.definitions(), copied, dump.fixpoint, across=across)
        for row in compared.rows:
            name = f"{prefix}{row.subject}"
            if row.copied is None and _was_not_loaded(name, problems):
                not_carried.append(name)
            else:
                rows.append(Row(name, row.sealed, row.copied))
        not_carried += [f"{prefix}{name}" for name in compared.not_carried]
    made = [expectations.Suite().compare(Comparison("definitions", rows))]
    if not_carried:
        seen = expectations.named(not_carried)
        made.append(Check("contents", "the dump carries everything", "partial", seen))
    return made


def _was_not_loaded(name: str, problems: Collection[str]) -> bool:
    """Tell whether a definition is among what could not be loaded, by kind and name."""
    wanted = name.lower().replace('"', "")
    told = (each.lower().replace('"', "") for each in problems)
    return any(each == wanted or each.startswith(f"{wanted}: ") for each in told)


def _shared(part: Part, found: Found, *, across: bool) -> list[Row]:
    """Lay what all databases share side by side; another version spells it in its own way."""
    sealed = part.sealed.definitions or {}
    copied = found.definitions
    names = sorted(name for name in {*sealed, *copied} if name.startswith(OF_ALL))
    rows = []
    for name in names:
        wanted, there = sealed.get(name), copied[name].digest if name in copied else None
        same = across and wanted is not None and there is not None
        rows.append(Row(name, there if same else wanted, there))
    return rows
