"""Hold a database that was loaded against where it came from, and against the live one."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from tasks.postgres import contents
from tasks.postgres.server import Server
from tasks.recovery.proving import expectations
from tasks.recovery.proving.comparison import comparisons
from tasks.repository.measure import measure, sequences_of, tables_of
from tasks.repository.proof import Check, Outcome
from tasks.repository.seal import Fact, Measure, TableSeal


@dataclass(frozen=True)
class Difference:
    """The rows of one table now, and as they were; None: it is not there.

    `is_same` tells whether their contents are.
    """

    table: str
    live: int | None
    restored: int | None
    is_same: bool


@dataclass(frozen=True)
class Compared:
    """What was found of a database that was loaded: each check, and the rows by table.

    `objects` are those that are not now as they were, such as views. `unlogged` tables were empty
    in every copy. `rules` say how often each rule of the platform may be broken in it.
    """

    checks: Sequence[Check]
    differences: Sequence[Difference]
    objects: Sequence[str]
    unlogged: Sequence[str]
    rules: Sequence[Fact]
    tables: Sequence[str]


def compare(database: str, source: Server, loaded: Server, live: Server) -> Compared:
    """Compare a database that was loaded with its source, and say what differs from the live one.

    Rules of the platform may be broken as often as in its source or in the live database.

    Args:
        database: what all three are called in what is told.
        source: where it was dumped.
        loaded: where it was loaded.
        live: what it is to take the place of.

    """
    with ThreadPoolExecutor(3, "measure") as pool:
        wanted, found, now = pool.map(
            lambda each: _measured(each, database), (source, loaded, live)
        )
    rules = _bounds(wanted.rules, now.rules)
    suite = expectations.Suite()
    checks = [suite.compare(each) for each in comparisons("locked", wanted, found)]
    return Compared(
        checks=checks + suite.bound(loaded, rules),
        differences=_differences(now.tables, wanted.tables),
        objects=_changed(now.structure, wanted.structure, f"{database}: "),
        unlogged=_unlogged(loaded),
        rules=rules,
        tables=sorted(table.table for table in wanted.tables),
    )


def _differences(now: Sequence[TableSeal], then: Sequence[TableSeal]) -> list[Difference]:
    live, old = ({table.table: table for table in tables} for tables in (now, then))
    found = []
    for name in sorted(live.keys() | old.keys()):
        a, b = live.get(name), old.get(name)
        is_same = a is not None and b is not None and a.digest == b.digest
        found.append(Difference(name, a.rows if a else None, b.rows if b else None, is_same))
    return found


def _changed(now: Mapping[str, str], then: Mapping[str, str], prefix: str) -> list[str]:
    names = sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
    return [name.removeprefix(prefix) for name in names]


def _unlogged(database: Server) -> list[str]:
    with database.connect() as connection:
        rows = connection.execute(
            "select oid::regclass::text from pg_class where relpersistence = 'u' and relkind = 'r'"
            " order by 1"
        )
        return [name for (name,) in rows]


def serves(database: Server, compared: Compared) -> list[Check]:
    """See that a database that was swapped in has its tables, and breaks no rule more often."""
    with database.connect() as connection:
        there = {table.full_name for table in contents.tables(connection)}
    lacking = sorted(set(compared.tables) - there - {contents.LARGE_OBJECTS})
    outcome: Outcome = "fail" if lacking else "pass"
    seen = f"no {', '.join(lacking[:5])}" if lacking else f"{len(there)} tables"
    tables = Check("contents", "every table is there after the swap", outcome, seen)
    return [tables, *expectations.Suite().bound(database, list(compared.rules))]


def _bounds(source: Sequence[Fact], live: Sequence[Fact]) -> list[Fact]:
    known = {fact.check: fact.value for fact in live}
    return [replace(fact, value=max(fact.value, known.get(fact.check, 0))) for fact in source]


def _measured(server: Server, label: str) -> Measure:
    """Measure one database under the name that it has in its cluster, or had."""
    with server.connect() as connection:
        connection.execute(contents.PINNED)
        connections = {label: connection}
        tables = tables_of(connections, as_text=True)
        found = measure(connections, tables, sequences_of(connections))
    own = {name: value for name, value in found.structure.items() if name.startswith(f"{label}: ")}
    return replace(found, structure=own)
