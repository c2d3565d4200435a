"""The structure tier: every table and index of a copy is walked by `pg_amcheck`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from psycopg import sql

from tasks.control.errors import OpsError
from tasks.postgres import programs
from tasks.postgres.copy_session import EVENT_TRIGGERS_SINCE
from tasks.postgres.databases import databases
from tasks.postgres.names import quoted
from tasks.postgres.server import Server, identify
from tasks.recovery.proving import expectations
from tasks.repository.proof import Check


FOUND_CORRUPTION = 2
"""Exit code of `pg_amcheck` where it found some (PostgreSQL documentation, "pg_amcheck")."""

UNIQUENESS_SINCE = 17

NAME = "tables and indexes are sound (pg_amcheck, heapallindexed)"

_AVAILABLE = "select exists (select from pg_available_extensions where name = 'amcheck')"

TIMEOUT_S = 4 * 3600


def check(copy: Server, tools: Path) -> list[Check]:
    """Walk all databases of a copy: heaps, and B-trees against their heaps.

    The copy gets the extension `amcheck` where it is missing, and may lose its event triggers, so
    it is measured before. Databases in which it cannot be made are named, and not walked.

    Raises:
        OpsError: `pg_amcheck` could not do its work.

    """
    arguments = ["--all", "--jobs=2", "--heapallindexed", "--no-password"]
    version = identify(copy).major
    if version >= UNIQUENESS_SINCE:
        arguments.append("--checkunique")
    if version < EVENT_TRIGGERS_SINCE:
        _disable_event_triggers(copy)
    with copy.connect() as connection:
        is_here = connection.execute(_AVAILABLE).fetchone() == (True,)
        known = databases(connection)
    if not is_here or not (tools / "pg_amcheck").exists():
        return [Check("structure", NAME, "partial", "not run: this server has no amcheck")]
    without = _not_installed(copy, known.open)
    if len(without) == len(known.open):
        return _not_run(without)
    arguments += [f"--exclude-database={quoted(name)}" for name in {*known.closed, *without}]
    with programs.service_file(copy) as env:
        done = programs.run(
            tools,
            "pg_amcheck",
            arguments,
            timeout_s=TIMEOUT_S,
            env=env,
            accept=(0, FOUND_CORRUPTION),
        )
    if done.returncode == 0:
        return _not_run(without) or [Check("structure", NAME, "pass")]
    first = [line for line in done.stdout.splitlines() if not line.startswith(" ")][:5]
    return [Check("structure", NAME, "fail", "; ".join(first))]


def _not_installed(copy: Server, names: Sequence[str]) -> dict[str, str]:
    """Install the extension in databases; return those in which that fails, with the reason."""
    failed = {}
    for name in names:
        try:
            with copy.database(name).connect() as connection:
                connection.execute("create extension if not exists amcheck with schema pg_catalog")
        except OpsError as error:
            failed[name] = str(error)
    return failed


def _not_run(without: Mapping[str, str]) -> list[Check]:
    """Name the databases that were not walked."""
    if not without:
        return []
    said = (f"database {name} (no amcheck: {why})" for name, why in sorted(without.items()))
    return [Check("structure", NAME, "partial", f"not run in {expectations.named([*said])}")]


def _disable_event_triggers(copy: Server) -> None:
    """Disable those that fire even for a replica: a guard against DDL would refuse the extension.

    From 17 on a setting that our connections pin does that.
    """
    with copy.connect() as connection:
        names = databases(connection).open
    for database in names:
        with copy.database(database).connect() as connection:
            query = "select evtname from pg_event_trigger where evtenabled in ('A', 'R')"
            for (name,) in connection.execute(query).fetchall():
                disable = sql.SQL("alter event trigger {} disable").format(sql.Identifier(name))
                connection.execute(disable)
