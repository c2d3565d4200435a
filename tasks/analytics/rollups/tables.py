"""The tables of the rollups, in the schema `hl7_analytics` of the operated database.

They are small: an hour has one row a connection and kind of message, however many messages it had;
so they outlive the pruning of messages, go along with every backup, and reach every standby.
"""

from tasks.control.errors import Refused
from tasks.postgres.server import Connection, Server


SCHEMA = "hl7_analytics"

DATED = "{0} >= '1900-01-01' and {0} < '2200-01-01'"
"""What a time has to keep to be counted: PostgreSQL knows infinity and years before Christ."""

NOBODY = 0
"""The connection of messages that came on none."""

LOCK = 0x484C_3741
"""Advisory lock of whoever changes the rollups ("HL7A")."""

COUNTS = (
    "messages",
    "sent",
    "transformed",
    "filtered",
    "queued",
    "unfinished",
    "errors",
    "ack_errors",
    "ack_rejects",
    "timeouts",
    "other_errors",
    "retried",
    "bytes",
)
"""What is told apart of an hour: see `counting` for each column's meaning."""

STATEMENTS = (
    f"create schema if not exists {SCHEMA}",
    f"""create table if not exists {SCHEMA}.message_hours (
  hour timestamptz not null, connection_id bigint not null, direction text not null,
  message_type text not null, trigger_event text not null, version text not null,
  {", ".join(f"{name} bigint not null" for name in COUNTS)},
  primary key (hour, connection_id, direction, message_type, trigger_event, version))""",
    f"""create index if not exists message_hours_open_idx on {SCHEMA}.message_hours (hour)
  where queued + unfinished > 0""",
    f"""create table if not exists {SCHEMA}.processing_hours (
  hour timestamptz not null, connection_id bigint not null,
  milliseconds int[] not null, messages int[] not null,
  primary key (hour, connection_id))""",
    f"""create table if not exists {SCHEMA}.outcome_hours (
  hour timestamptz primary key, messages bigint not null, complete bigint not null,
  failed bigint not null, open bigint not null)""",
    f"""create table if not exists {SCHEMA}.activity_hours (
  hour timestamptz primary key, patients bigint not null, encounters bigint not null)""",
    f"""create table if not exists {SCHEMA}.alerts (
  kind text not null, subject text not null, start timestamptz not null,
  told_at timestamptz not null default now(), primary key (kind, subject, start))""",
    f"""create table if not exists {SCHEMA}.state (
  name text primary key, through timestamptz not null, message_id bigint not null,
  patient_id bigint not null, encounter_id bigint not null, refreshed_at timestamptz not null)""",
)
"""The schema and its tables; what is there stays."""

_MAY = """
select coalesce(
  (select pg_has_role(nspowner, 'usage') from pg_namespace where nspname = %(schema)s),
  has_database_privilege(current_database(), 'create'))
"""


def install(server: Server) -> None:
    """Make the schema and its tables; what is there stays.

    Raises:
        Refused: the role may not create them.

    """
    with server.connect(lock_timeout_ms=10_000) as connection, connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        if are_installed(connection):
            return
        row = connection.execute(_MAY, {"schema": SCHEMA}).fetchone()
        if not row or not row[0]:
            raise Refused(
                "the rollups cannot be made",
                stanza=server.stanza,
                seen="a role that may not create the schema",
                expected="a role that may create a schema, or one that owns it",
                do=f"create the schema {SCHEMA} and let the role own it",
            )
        for statement in STATEMENTS:
            connection.execute(statement)


def are_installed(connection: Connection) -> bool:
    """Tell whether the last of the tables is there; they are made all or none."""
    row = connection.execute("select to_regclass(%s) is not null", [f"{SCHEMA}.state"]).fetchone()
    return bool(row and row[0])
