"""A PostgreSQL server: a name, an address, and connections with deadlines."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import psycopg
from psycopg import conninfo

from tasks.control.errors import OpsError, Refused, Transient


Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

OLDEST = 15
"""The oldest major version operated: PostgreSQL 14 reached its end of life on 2026-11-12."""

NEWEST = 18

OURS = (
    "-c role=none -c default_transaction_read_only=off -c quote_all_identifiers=off"
    " -c standard_conforming_strings=on -c transform_null_equals=off -c array_nulls=on"
    " -c idle_session_timeout=0"
)
"""What a session of ours is told when it begins: settings of the role or the database would keep
what is there from us, or spell it otherwise; these win (PostgreSQL's `PGC_S_CLIENT`)."""

for _name in ("PGTZ", "PGDATESTYLE", "PGGEQO"):
    os.environ.pop(_name, None)  # they would win over what our sessions say of themselves

_CARRIES_VALUES = ("22", "23", "P0")
"""Classes of SQLSTATE whose messages quote values of rows: data exception, integrity, PL/pgSQL."""

_PASSING = (
    psycopg.OperationalError,
    psycopg.errors.QueryCanceled,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.SerializationFailure,
)


_KNOWN: dict[str, tuple[type[OpsError], str | None]] = {
    "42501": (Refused, "connect as a superuser, or grant the role what it lacks"),
    "53400": (Refused, "raise the limit, such as max_replication_slots, or free one"),
}
"""What trying again does not help against, by SQLSTATE."""


@dataclass(frozen=True)
class Server:
    """One server under the name of its stanza; the address may hold a password and is not shown."""

    stanza: str
    address: str = field(repr=False)

    def database(self, name: str) -> "Server":
        """Return the same server with another database of it."""
        return replace(self, address=conninfo.make_conninfo(self.address, dbname=name))

    def with_options(self, options: str) -> "Server":
        """Return the same server, told some settings more when a session begins.

        They win over what a role or a database has set (PostgreSQL's `PGC_S_CLIENT`).
        """
        told = f"{self.parameters().get('options', '')} {options}".strip()
        return replace(self, address=conninfo.make_conninfo(self.address, options=told))

    def parameters(self, setting: str = "the address of a server") -> dict[str, str]:
        """Return the parts of the address, the password among them; `setting` names where it is.

        Raises:
            Refused: it is no address; what stands in it is not told.

        """
        try:
            parts = conninfo.conninfo_to_dict(self.address)
        except psycopg.Error:
            raise Refused(
                f"{setting} is not an address: it cannot be read",
                stanza=self.stanza,
                expected="postgresql://USER@HOST:PORT/DATABASE",
                do="correct it; special characters of a password are percent-encoded",
            ) from None
        return {key: str(value) for key, value in parts.items()}

    @contextmanager
    def connect(
        self,
        *,
        statement_timeout_s: float = 0,
        lock_timeout_ms: int = 0,
        autocommit: bool = True,
        application: str = "hl7ops",
    ) -> Iterator[Connection]:
        """Open a connection whose deadlines the server enforces; 0 means none.

        Texts arrive as they are in any database: what one without an encoding holds is read byte by
        byte.

        Raises:
            Transient: the server cannot be reached, or a deadline passed.
            OpsError: the server refused a statement; the text quotes no value of a row.
            Refused: it is no address.

        """
        options = (
            f"{self.parameters().get('options', '')} {OURS}"
            f" -c statement_timeout={int(statement_timeout_s * 1000)}"
            f" -c lock_timeout={lock_timeout_ms}"
            " -c idle_in_transaction_session_timeout=0 -c timezone=UTC"
        )
        with (
            reported(self.stanza),
            psycopg.connect(
                self.address,
                autocommit=autocommit,
                connect_timeout=10,
                options=options,
                application_name=application,
            ) as connection,
        ):
            _prepare(connection)
            yield connection


TRANSACTION_TIMEOUT_SINCE = 170000
"""The version that brought a limit for whole transactions."""


def _prepare(connection: Connection) -> None:
    """Let texts of any database be read, of one without an encoding byte by byte; in any time.

    Times are written as the client reads them; in which order a date is read stays as it was set.
    """
    known, told = connection.info.parameter_status, []
    wanted = "LATIN1" if known("server_encoding") == "SQL_ASCII" else "UTF8"
    if known("client_encoding") != wanted:
        told.append(f"set client_encoding = '{wanted}'")
    if not (known("DateStyle") or "").startswith("ISO"):
        told.append("set datestyle = 'ISO'")
    if known("IntervalStyle") != "postgres":
        told.append("set intervalstyle = 'postgres'")
    if connection.info.server_version >= TRANSACTION_TIMEOUT_SINCE:
        told.append("set transaction_timeout = 0")
    if told:
        is_autocommit, connection.autocommit = connection.autocommit, True
        connection.execute("; ".join(told).encode())
        connection.autocommit = is_autocommit


@contextmanager
def reported(stanza: str) -> Iterator[None]:
    """Turn what psycopg raises into the house's errors, without any value of a row."""
    try:
        yield
    except psycopg.Error as error:
        kind, do = OpsError, None
        if isinstance(error, _PASSING):
            kind, do = Transient, "see that the server runs and is not overloaded"
        kind, do = _KNOWN.get(error.sqlstate or "", (kind, do))
        raise kind(
            "the database did not do it", stanza=stanza, seen=_described(error), do=do
        ) from None


def _described(error: psycopg.Error) -> str:
    """Describe a database error by its condition and the objects it names, never by values."""
    diagnosis = error.diag
    state = diagnosis.sqlstate
    if state is None:
        return str(error).strip().partition("\n")[0]
    named = (
        diagnosis.schema_name,
        diagnosis.table_name,
        diagnosis.column_name,
        diagnosis.constraint_name,
    )
    objects = ".".join(name for name in named if name)
    text = "" if state.startswith(_CARRIES_VALUES) else (diagnosis.message_primary or "")
    return " ".join(part for part in (f"{type(error).__name__} ({state})", text, objects) if part)


@dataclass(frozen=True)
class Identity:
    """What tells one cluster from another, what it runs, and which role made it."""

    system_identifier: str
    version_num: int
    data_directory: str
    superuser: str

    @property
    def major(self) -> int:
        """The major version, such as 18."""
        return self.version_num // 10000


def identify(server: Server) -> Identity:
    """Ask the server who it is.

    Raises:
        Refused: its version is not one that is operated.

    """
    with server.connect(statement_timeout_s=10) as connection:
        row = connection.execute(
            "select system_identifier::text, current_setting('server_version_num')::int,"
            " current_setting('data_directory'),"
            " (select rolname::text from pg_roles where oid = 10) from pg_control_system()"
        ).fetchone()
    assert row is not None  # noqa: S101 - a query without a FROM that can be empty
    identity = Identity(*row)
    if not OLDEST <= identity.major <= NEWEST:
        raise Refused(
            "this version of PostgreSQL is not operated",
            stanza=server.stanza,
            seen=identity.major,
            expected=f"{OLDEST} to {NEWEST}",
            do="upgrade the server",
        )
    return identity
