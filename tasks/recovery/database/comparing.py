"""Hold a database that was loaded against where it came from, and against the live one."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from tasks.postgres import table_digest
from tasks.postgres.names import quoted
from tasks.postgres.server import Server
from tasks.postgres.table_digest import LARGE_OBJECTS
from tasks.recovery.copies.fixpoint import LoadedDump
from tasks.recovery.proving import expectations, holding, loaded
from tasks.recovery.proving.comparison import Part, comparisons
from tasks.repository.fingerprint import Scope, of_database
from tasks.repository.proof import Check, Outcome
from tasks.repository.seal import Fact, TableSeal


KEPT = (table_digest.PERMANENT, table_digest.UNLOGGED)
"""The kinds of tables that a database which was loaded has."""


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


def compare(database: str, dump: LoadedDump, source: Server, live: Server) -> Compared:
    """Compare a database that was loaded with its source, and say what differs from the live one.

    Rules of the platform may be broken as often as in its source or in the live database.

    Args:
        database: what all three are called in what is told.
        dump: what was loaded, and where.
        source: where it was dumped.
        live: what it is to take the place of.

    """
    with ThreadPoolExecutor(3, "fingerprint") as pool:
        wanted, found, now = pool.map(
            lambda each: of_database(each, database, dump.tools, Scope(as_text=True)),
            (source, dump.server, live),
        )
    rules = _bounds(wanted.rules, now.rules)
    part, suite = Part(wanted.sealed(), is_loaded=True), expectations.Suite()
    checks = [suite.compare(each) for each in comparisons(part, found)]
    checks += loaded.checks(part, found, {database: dump}, across=False)
    checks += holding.not_compared(part, found)
    then = wanted.sealed()
    return Compared(
        checks=checks + suite.bound(dump.server, rules),
        differences=_differences(now.sealed().tables, then.tables),
        objects=_changed(
            now.sealed().definitions or {}, then.definitions or {}, f"{quoted(database)}: "
        ),
        unlogged=_unlogged(dump.server),
        rules=rules,
        tables=sorted(table.table for table in then.tables),
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
        there = {table.full_name for table in table_digest.tables(connection, KEPT)}
    lacking = sorted(set(compared.tables) - there - {LARGE_OBJECTS})
    outcome: Outcome = "fail" if lacking else "pass"
    seen = f"no {', '.join(lacking[:5])}" if lacking else f"{len(there)} tables"
    tables = Check("contents", "every table is there after the swap", outcome, seen)
    return [tables, *expectations.Suite().bound(database, list(compared.rules))]


def _bounds(source: Sequence[Fact], live: Sequence[Fact]) -> list[Fact]:
    known = {fact.check: fact.value for fact in live}
    return [replace(fact, value=max(fact.value, known.get(fact.check, 0))) for fact in source]
