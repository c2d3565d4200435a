"""Connections to all databases of a server at a time, each with a snapshot of its own."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psycopg

from tasks.control.errors import OpsError
from tasks.postgres import table_digest
from tasks.postgres.server import Connection, Server
from tasks.postgres.table_digest import PINNED, Table
from tasks.repository.seal import Omission


APPLICATION = "hl7ops-seal"
"""What the sessions are called that read for a seal, so that whoever waits for one is seen."""

READ_TIMEOUT_MS = 3000
"""A read waits no longer than this for a table that somebody holds for himself."""

REPLAY_PAUSE_S = 0.002


@dataclass(frozen=True)
class Sessions:
    """A connection to every database, each with a snapshot of its own, and one that acts.

    Args:
        actor: to the primary, without a transaction of its own.
        readers: keep the snapshots; on a standby, if digests are computed there.
        lockers: hold locks on the primary; the readers themselves, unless those are elsewhere.
        only: the names of the tables that are wanted, by database; None: all.

    """

    actor: Connection
    readers: dict[str, Connection]
    lockers: dict[str, Connection]
    only: Mapping[str, Collection[str]] | None = None

    @property
    def are_on_standby(self) -> bool:
        """Whether the snapshots are those of a standby."""
        return self.lockers is not self.readers

    def begin(self) -> None:
        """Let go of the snapshots: the next query of each session takes a new one."""
        for connection in (*self.readers.values(), *self.lockers.values()):
            connection.rollback()

    def snapshots(self) -> dict[str, str]:
        """Return the snapshots, taken now where there is none yet."""
        return {
            name: _text(connection, "select pg_current_snapshot()")
            for name, connection in self.readers.items()
        }

    def tables(self, connections: Mapping[str, Connection]) -> dict[str, list[Table]]:
        """List the tables that are wanted, as the snapshots show them."""
        return {
            name: table_digest.tables(each, only=self.only[name] if self.only else None)
            for name, each in connections.items()
        }

    def restore_point(self, name: str) -> str:
        """Write a restore point and return its LSN."""
        row = self.actor.execute("select pg_create_restore_point(%s)", [name[:63]]).fetchone()
        return str(row[0]) if row else ""

    def await_replay(self, lsn: str, within_s: float) -> bool:
        """Wait until the standby shows all up to a position; tell whether it does in time.

        A restore point is not flushed, and so not sent, before somebody commits: we do.
        """
        self.actor.execute("select pg_logical_emit_message(true, 'hl7ops', 'flush')")
        connection = next(iter(self.readers.values()))
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            found = _text(connection, f"select pg_last_wal_replay_lsn() >= '{lsn}'::pg_lsn")
            connection.rollback()
            if found == "True":
                return True
            time.sleep(REPLAY_PAUSE_S)
        return False

    def running(self) -> set[str]:
        """Return the transactions that hold their number, prepared ones among them."""
        rows = self.actor.execute(
            "select transactionid::text from pg_locks where locktype = 'transactionid' and granted"
            " and mode = 'ExclusiveLock'"
        )
        return {number for (number,) in rows}

    def is_anybody_committing(self) -> bool:
        """Tell whether somebody has written his end, and waits for a standby to have it too."""
        row = self.actor.execute(
            "select exists (select from pg_stat_activity where wait_event = 'SyncRep')"
        ).fetchone()
        return row == (True,)

    def refreshed(self) -> set[int]:
        """Return the relations that somebody writes; no lock of ours keeps that from views."""
        rows = self.actor.execute(
            "select relation::bigint from pg_locks where locktype = 'relation' and granted"
            " and mode = any('{RowExclusiveLock,ExclusiveLock,AccessExclusiveLock}')"
        )
        return {oid for (oid,) in rows}

    def now(self) -> str:
        """Return the snapshot of this instant."""
        return _text(self.actor, "select pg_current_snapshot()")


@contextmanager
def sessions(
    server: Server,
    names: Sequence[str],
    standby: Server | None = None,
    only: Mapping[str, Collection[str]] | None = None,
) -> Iterator[tuple[Sessions, list[Omission]]]:
    """Connect to databases, once to each; those that cannot be connected to are named.

    Args:
        server: the primary.
        names: of the databases.
        standby: where the snapshots are taken; None: on the primary.
        only: the names of the tables that are wanted, by database; None: all.

    """
    omitted: list[Omission] = []
    with ExitStack() as stack:
        actor = stack.enter_context(server.connect(application=APPLICATION))
        lockers = _connected(stack, server, names, omitted)
        readers = lockers
        if standby is not None:
            readers = _connected(stack, standby, [*lockers], omitted)
            lockers = {name: each for name, each in lockers.items() if name in readers}
        yield Sessions(actor, readers, lockers, only), omitted


def _connected(
    stack: ExitStack, server: Server, names: Sequence[str], omitted: list[Omission]
) -> dict[str, Connection]:
    found = {}
    for name in names:
        try:
            connection = stack.enter_context(
                server.database(name).connect(
                    autocommit=False, application=APPLICATION, lock_timeout_ms=READ_TIMEOUT_MS
                )
            )
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.execute(PINNED.encode())
            connection.commit()
        except (OpsError, psycopg.Error) as error:
            reason = f"no connection: {str(error).partition(chr(10))[0]}"
            omitted.append(Omission(f"database {name}", reason, database=name))
            continue
        found[name] = connection
    return found


def _text(connection: Connection, query: str) -> str:
    row = connection.execute(query.encode()).fetchone()
    return str(row[0]) if row else ""
