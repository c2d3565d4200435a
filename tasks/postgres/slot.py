"""The physical replication slot that keeps WAL on the server until it is archived."""

from dataclasses import dataclass

from tasks.postgres import lsn
from tasks.postgres.lsn import Segment
from tasks.postgres.server import Server


@dataclass(frozen=True)
class Slot:
    """A slot, the first position that it keeps, and what the server says of it."""

    name: str
    restart_lsn: str | None
    wal_status: str | None

    @property
    def is_lost(self) -> bool:
        """Tell whether the server has removed WAL that the slot should have kept."""
        return self.restart_lsn is None or self.wal_status == "lost"


def name_for(stanza: str) -> str:
    """Return the name of a stanza's slot."""
    return f"hl7ops_{stanza.replace('-', '_')}"


def find(server: Server) -> Slot | None:
    """Return the stanza's slot, or None."""
    with server.connect(statement_timeout_s=30) as connection:
        row = connection.execute(
            "select slot_name::text, restart_lsn::text, wal_status from pg_replication_slots"
            " where slot_name = %s",
            [name_for(server.stanza)],
        ).fetchone()
    return Slot(*row) if row else None


def create(server: Server) -> Slot:
    """Create the stanza's slot anew; from now on the server keeps its WAL."""
    name = name_for(server.stanza)
    with server.connect(statement_timeout_s=60) as connection:
        connection.execute(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots"
            " where slot_name = %s and not active",
            [name],
        )
        connection.execute(
            "select pg_create_physical_replication_slot(%s, immediately_reserve => true)", [name]
        )
    slot = find(server)
    assert slot is not None  # noqa: S101 - just made
    return slot


def advance(server: Server, position: int) -> None:
    """Let the server remove WAL before a position, which is archived by now."""
    with server.connect(statement_timeout_s=60) as connection:
        connection.execute(
            "select pg_replication_slot_advance(slot_name, %s::pg_lsn) from pg_replication_slots"
            " where slot_name = %s and restart_lsn < %s::pg_lsn",
            [lsn.spell(position), name_for(server.stanza), lsn.spell(position)],
        )


@dataclass(frozen=True)
class WalPosition:
    """Where the server writes: timeline, position in bytes, and the size of its segments."""

    timeline: int
    position: int
    segment_bytes: int

    @property
    def segment(self) -> Segment:
        """The segment that is being written."""
        return lsn.segment_at(self.timeline, self.position, self.segment_bytes)


def written(server: Server, *, switch: bool) -> WalPosition:
    """Return where the server writes; with `switch` it begins a new segment first."""
    with server.connect(statement_timeout_s=60) as connection:
        if switch:
            connection.execute("select pg_switch_wal()")
        row = connection.execute(
            "select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8),"
            " pg_current_wal_lsn()::text, setting::int"
            " from pg_settings where name = 'wal_segment_size'"
        ).fetchone()
    assert row is not None  # noqa: S101 - the setting always exists
    return WalPosition(int(row[0], 16), lsn.parse(row[1]), row[2])
