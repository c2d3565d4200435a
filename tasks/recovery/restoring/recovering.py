"""Recover a copy to where a plan ends, hold it there, and tell where it really is."""

import re
import time
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tasks.control.clock import exact
from tasks.control.errors import Corrupt, OpsError, Refused, Transient
from tasks.control.phases import Progress
from tasks.postgres import lsn
from tasks.postgres.cluster import SHORTAGES, Cluster, last_words
from tasks.postgres.copy_configuration import Configuration
from tasks.postgres.server import Connection, Server
from tasks.recovery.planning.plan import Plan
from tasks.recovery.restoring.feed import Feed


PAUSE_S = 0.05

TIMEOUT_S = 24 * 3600
"""Replay of a long way takes hours; how far it is, is told meanwhile."""

TARGETS = (
    "recovery_target",
    "recovery_target_time",
    "recovery_target_xid",
    "recovery_target_name",
    "recovery_target_lsn",
)

IMMEDIATE = ("recovery_target", "immediate")

LENIENT = {"ignore_invalid_pages": "on", "ignore_checksum_failure": "on"}
"""How a copy replays WAL of which somebody has accepted that some of its bytes are lost."""

Action = Literal["pause", "promote"]
"""What a copy does where its plan ends: it can be read, or it can be written as well."""

_STOPPED = re.compile(r"recovery stopping (before|after) .*?(?:\(LSN\) )?\"([0-9A-F]+/[0-9A-F]+)\"")


@dataclass(frozen=True)
class Reached:
    """Where a copy really is: how far it has replayed, and when its last transaction ended."""

    lsn: str
    last_transaction_at: datetime | None


@dataclass(frozen=True)
class Copy:
    """A data directory that is recovered, as a cluster with its own socket.

    Args:
        cluster: the data directory and its socket.
        configuration: what it is started with.
        server: where the superuser reaches it.

    """

    cluster: Cluster
    configuration: Configuration
    server: Server


def towards(plan: Plan, action: Action) -> dict[str, str]:
    """Return the settings by which a copy recovers to where a plan ends, and what it does there.

    It goes along the timeline that holds the stop. Of a later one that the way leads to, PostgreSQL
    would note at a promotion that it was left before it had begun.
    """
    stop = plan.stop
    name, value = ("recovery_target_lsn", lsn.spell(stop.position)) if stop else IMMEDIATE
    return {
        **{other: "" for other in TARGETS if other != name},
        name: value,
        "recovery_target_inclusive": "on" if stop is None or stop.inclusive else "off",
        "recovery_target_timeline": str(plan.timeline),
        "recovery_target_action": action,
        **(LENIENT if plan.accepted else {}),
    }


def recover(
    copy: Copy, plan: Plan, feed: Feed | None, tell: Progress, action: Action = "pause"
) -> None:
    """Start a copy, let it replay, and return once it is where the plan ends.

    Args:
        copy: what recovers.
        plan: where it ends.
        feed: what hands WAL over; None: all that is needed has been replayed, or lies in it.
        tell: told how far it is, in bytes of WAL.
        action: what it does there; one that was paused first is promoted up to a second later.

    Raises:
        Corrupt: it ended before its stop, or WAL was not what was kept.
        OpsError: it did not come up.

    """
    command = {"restore_command": feed.command if feed else "false"}
    with feed.running() if feed else nullcontext():
        while not _run(copy, towards(plan, action) | command, plan, feed, tell):
            copy.cluster.stop("immediate")


def _run(
    copy: Copy, settings: dict[str, str], plan: Plan, feed: Feed | None, tell: Progress
) -> bool:
    """Start a copy and let it replay; return whether it came to where the plan ends.

    The source may have raised a setting that hot standby demands; then the same goes on with that.
    """
    before = _shortfalls(copy.cluster)
    try:
        copy.cluster.start(copy.configuration.restored() | settings, timeout_s=TIMEOUT_S)
        _await_end(copy, plan, tell)
    except OpsError as error:
        copy.cluster.stop("immediate")
        if _shortfalls(copy.cluster) > before:
            return False
        raise _told((feed and feed.problem) or error, copy.cluster, plan) from None
    return _shortfalls(copy.cluster) == before


def _shortfalls(cluster: Cluster) -> int:
    """Count how often the server said that its source had more of something than it has."""
    text = cluster.log.read_text(errors="replace") if cluster.log.exists() else ""
    return text.count("because of insufficient parameter settings")


def _told(error: Exception, cluster: Cluster, plan: Plan) -> Exception:
    """Return what became of a recovery: a problem of what it was fed, or what the server said."""
    words = last_words(cluster.log)
    if "recovery ended before configured recovery target" in words:
        return Corrupt("the copy ended before its stop", seen=words, expected=str(plan.target))
    if any(shortage in words for shortage in SHORTAGES):
        return Refused(
            "this machine cannot run the copy",
            seen=words,
            do="make room; the same restore then goes on where it was",
        )
    return error


def _await_end(copy: Copy, plan: Plan, tell: Progress) -> None:
    """Wait until recovery pauses at its stop, or is over, telling how far it is.

    Raises:
        OpsError: the server ended.

    """
    begin = lsn.parse(plan.backup.start_lsn)
    every = (plan.stop.position if plan.stop else lsn.parse(plan.backup.stop_lsn)) - begin
    while copy.cluster.pid() is not None:
        try:
            with copy.server.connect() as connection:
                while True:
                    has_ended, at = _state(connection)
                    tell("replay", min(max(at - begin, 0), every), every)
                    if has_ended:
                        return
                    time.sleep(PAUSE_S)
        except Transient:
            time.sleep(PAUSE_S)
    raise OpsError("the server ended", seen=last_words(copy.cluster.log))


def _state(connection: Connection) -> tuple[bool, int]:
    row = connection.execute(
        "select case when pg_is_in_recovery() then pg_get_wal_replay_pause_state() = 'paused'"
        " else true end, coalesce(pg_last_wal_replay_lsn(), '0/0')::text"
    ).fetchone()
    assert row is not None  # noqa: S101 - a query without a FROM
    return row[0], lsn.parse(row[1])


def reached(copy: Copy) -> Reached:
    """Ask a copy where its recovery has ended; it was not started anew since."""
    with copy.server.connect() as connection:
        row = connection.execute(
            "select pg_last_wal_replay_lsn()::text, pg_last_xact_replay_timestamp()"
        ).fetchone()
    assert row is not None  # noqa: S101 - a query without a FROM
    return Reached(*row)


def see_that_it_is_there(plan: Plan, log: str, at: Reached) -> None:
    """Hold what was reached against what was planned: the record, and the last transaction.

    Args:
        plan: what was planned.
        log: what the server said of this recovery.
        at: what it says of itself.

    Raises:
        Corrupt: they differ; a difference is never a footnote.

    """
    if plan.stop is None:
        if lsn.parse(at.lsn) < lsn.parse(plan.backup.stop_lsn):
            raise _elsewhere(at.lsn, plan.backup.stop_lsn)
        return
    said = _STOPPED.findall(log)
    wanted = ("after" if plan.stop.inclusive else "before", plan.stop.position)
    where, position = said[-1] if said else ("nowhere", "0/0")
    if (where, lsn.parse(position)) != wanted:
        raise _elsewhere(f"{where} {position}", f"{wanted[0]} {lsn.spell(wanted[1])}")
    if plan.witness is not None and at.last_transaction_at != plan.witness.at:
        seen = exact(at.last_transaction_at) if at.last_transaction_at else "no transaction"
        raise _elsewhere(seen, plan.witness.told)


def _elsewhere(seen: str, expected: str) -> Corrupt:
    return Corrupt(
        "recovery ended elsewhere",
        seen=seen,
        expected=expected,
        do="try again, and report it with the server's log",
    )
