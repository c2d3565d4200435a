"""Swap two databases by their names, in one transaction, while nobody can connect to either."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import sql

from tasks.control import clock
from tasks.control.errors import OpsError, Refused
from tasks.postgres.server import Connection, Server
from tasks.recovery.database.names import Aside, aside, known, mark, unmark


PAUSE_S = 0.02

PATIENCE_S = 30
"""How long a swap waits for whatever else holds the databases."""


@dataclass(frozen=True)
class Swapped:
    """A swap that was made: which database, what it was put in the place of, and how long it took.

    `seconds` are those for which nobody could connect.
    """

    database: str
    previous: str
    seconds: float


def swap(server: Server, database: str, new: Aside) -> Swapped:
    """Let a new database take a name; the one that has it is kept under a dated name.

    Both names change in one transaction, so that at no instant, and after no kill, the name leads
    nowhere. Who is connected is disconnected, and who connects meanwhile waits for the end of it.

    Raises:
        Refused: there is no such database, or it has prepared transactions.
        OpsError: it could not be done; nothing has changed.

    """
    before = aside(database, "before", clock.now())
    return Swapped(database, before.name, _renamed(server, database, before, new))


def roll_back(server: Server, database: str) -> Swapped:
    """Put back what was there before the last swap; what was swapped in is kept, too.

    Raises:
        Refused: nothing was swapped, or what was there is gone.

    """
    with administering(server, database) as connection:
        earlier = known(connection, database, "before")
    if not earlier:
        raise Refused(
            "there is nothing to roll back to",
            stanza=server.stanza,
            seen=f"no predecessor of database {database}",
            expected="one that `hl7ops database restore` has put aside",
        )
    undone = aside(database, "undone", clock.now())
    return Swapped(database, undone.name, _renamed(server, database, undone, earlier[-1]))


@contextmanager
def administering(
    server: Server, database: str, *, autocommit: bool = True
) -> Iterator[Connection]:
    """Connect to a database of the server that is not the one that is worked on."""
    place = "postgres" if database != "postgres" else "template1"
    with server.database(place).connect(autocommit=autocommit, lock_timeout_ms=5000) as connection:
        yield connection


def _renamed(server: Server, database: str, old: Aside, new: Aside) -> float:
    """Give the name of a database to a new one; return how long nobody could connect."""
    _see_that_they_can_be(server, database, new.name)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        began = time.monotonic()
        try:
            with (
                disconnecting(server, database, [database, new.name]),
                administering(server, database, autocommit=False) as connection,
            ):
                _rename(connection, database, old.name)
                _rename(connection, new.name, database)
                mark(connection, old)
                unmark(connection, new, database)
                connection.commit()
        except OpsError:  # somebody came in between: all of it was taken back
            if time.monotonic() > deadline:
                raise
        else:
            return round(time.monotonic() - began, 3)


def _see_that_they_can_be(server: Server, database: str, new: str) -> None:
    with administering(server, database) as connection:
        rows = connection.execute("select datname from pg_database").fetchall()
        waiting = connection.execute(
            "select count(*) from pg_prepared_xacts where database in (%s, %s)", [database, new]
        ).fetchone()
    there = {name for (name,) in rows}
    for name in (database, new):
        if name not in there:
            raise Refused("there is no such database", stanza=server.stanza, seen=name)
    if waiting and waiting[0]:
        raise Refused(
            "a database with prepared transactions cannot be renamed",
            stanza=server.stanza,
            seen=f"{waiting[0]} in {database} or {new}",
            do="commit them or roll them back: select * from pg_prepared_xacts",
        )


@contextmanager
def disconnecting(server: Server, database: str, names: Sequence[str]) -> Iterator[None]:
    """Disconnect whoever is in some databases, again and again while the block runs."""
    over = threading.Event()
    with administering(server, database) as connection:

        def run() -> None:
            while not over.is_set():
                connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = any(%s) and pid <> pg_backend_pid()",
                    [list(names)],
                )
                over.wait(PAUSE_S)

        thread = threading.Thread(target=run, name="disconnecting")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _rename(connection: Connection, name: str, to: str) -> None:
    connection.execute(
        sql.SQL("alter database {} rename to {}").format(sql.Identifier(name), sql.Identifier(to))
    )
