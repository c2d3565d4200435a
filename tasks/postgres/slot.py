"""The physical replication slot that keeps WAL on the server until it is archived."""

from dataclasses import dataclass

from tasks.control.errors import Transient
from tasks.postgres import lsn
from tasks.postgres.lsn import Segment
from tasks.postgres.server import Server


SCARCE = 0.2
"""Where less than this share of the bound is left, it is time to act."""


@dataclass(frozen=True)
class Slot:
    """A slot, the first position that it keeps, and what the server says of it.

    Sizes are in bytes: what it holds back, how much the server keeps for it at most (None: all, by
    `max_slot_wal_keep_size = -1`), and how much may be written until WAL is lost (None: no bound).
    """

    name: str
    restart_lsn: str | None
    wal_status: str | None
    safe_bytes: int | None = None
    held_bytes: int | None = None
    keep_bytes: int | None = None

    @property
    def is_lost(self) -> bool:
        """Tell whether the server has removed WAL that the slot should have kept."""
        return self.restart_lsn is None or self.wal_status == "lost"


def advice(slot: Slot | None) -> str | None:
    """Say in one sentence what was seen of a slot and what to change; None: all is well.

    See `pg_replication_slots` in PostgreSQL's documentation for what the states mean.
    """
    if slot is None:
        return None
    bound, left = slot.keep_bytes, slot.safe_bytes
    is_scarce = bound is not None and left is not None and left < SCARCE * bound
    seen = f"slot {slot.name} holds back {_mib(slot.held_bytes)} of WAL"
    raised = f"raise max_slot_wal_keep_size ({_mib(bound)})"
    cases = (
        (slot.is_lost, f"slot {slot.name} has lost WAL: hl7ops backup full begins anew; {raised}"),
        (slot.wal_status == "unreserved", f"{seen} and is about to lose it: pull now; {raised}"),
        (bound is None, f"{seen} up to a full disk: set max_slot_wal_keep_size to a bound"),
        (is_scarce, f"{seen}, and after {_mib(left)} more it loses some: pull now; {raised}"),
        (
            slot.wal_status == "extended",
            f"{seen}, more than max_wal_size: see why the archive is behind, or raise max_wal_size",
        ),
    )
    return next((said for holds, said in cases if holds), None)


def _mib(count: int | None) -> str:
    return "without a bound" if count is None else f"{count >> 20:,} MiB"


def name_for(stanza: str) -> str:
    """Return the name of a stanza's slot."""
    return f"hl7ops_{stanza.replace('-', '_')}"


def find(server: Server) -> Slot | None:
    """Return the stanza's slot, or None."""
    with server.connect(statement_timeout_s=30) as connection:
        row = connection.execute(
            "select slot_name::text, restart_lsn::text, wal_status, safe_wal_size,"
            " pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn()"
            " else pg_current_wal_lsn() end, restart_lsn)::bigint,"
            " (select nullif(setting::bigint, -1) * 1024 * 1024 from pg_settings"
            " where name = 'max_slot_wal_keep_size')"
            " from pg_replication_slots where slot_name = %s",
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
    """Return where the server writes; with `switch` it begins a new segment first.

    Raises:
        Transient: it does not write, since it is a standby.

    """
    with server.connect(statement_timeout_s=60) as connection:
        if connection.execute("select pg_is_in_recovery()").fetchone() == (True,):
            raise Transient(
                "the server is a standby",
                stanza=server.stanza,
                expected="one that writes",
                do="promote it, or lead DATABASE_URL to the primary",
            )
        if switch:
            connection.execute("select pg_switch_wal()")
        row = connection.execute(
            "select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8),"
            " pg_current_wal_lsn()::text, setting::int"
            " from pg_settings where name = 'wal_segment_size'"
        ).fetchone()
    assert row is not None  # noqa: S101 - the setting always exists
    return WalPosition(int(row[0], 16), lsn.parse(row[1]), row[2])


def present(server: Server) -> frozenset[str]:
    """Return the names of the segments that the server still has, of every timeline."""
    with server.connect(statement_timeout_s=60) as connection:
        rows = connection.execute(
            "select name from pg_ls_waldir() where name ~ '^[0-9A-F]{24}$'"
        ).fetchall()
    return frozenset(row[0] for row in rows)
