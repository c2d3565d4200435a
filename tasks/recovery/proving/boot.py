"""Bring a copy up: recover it to its seal, in a cluster that can reach nobody."""

import re
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.control.errors import Corrupt, OpsError, Refused, Transient
from tasks.postgres import programs
from tasks.postgres.cluster import SHORTAGES, SILENT, last_words
from tasks.postgres.server import Connection, Server
from tasks.recovery.copies.scratch import Scratch
from tasks.recovery.restoring.recovering import TARGETS
from tasks.repository.model import Backup
from tasks.repository.seal import RestorePoint


RECOVERY_TIMEOUT_S = 3600


@contextmanager
def booted(
    backup: Backup, copy: Scratch, point: RestorePoint | None, *, is_last: bool = True
) -> Iterator[Server]:
    """Yield a server of the copy, recovered to a restore point; promoted where it is the last one.

    Before the last one it is paused there, and can be read; without one it is promoted as soon as
    it is consistent.

    It runs on a configuration of ours, and dies with us.

    Raises:
        Refused: the programs are of another major version than the backup.
        Corrupt: it says that it cannot come up, or does not reach its restore point.
        OpsError: it did not come up for want of memory, disk or time, or was killed; so nothing is
            known of the backup.

    """
    require_version(backup, copy.programs)
    _signal_recovery(copy)
    server = copy.cluster.server(backup.stanza, superuser=backup.maker)
    target = {
        "restore_command": f'cp {shlex.quote(str(copy.wal)).replace("%", "%%")}/%f "%p"',
        **({"recovery_target_name": point.name} if point else {"recovery_target": "immediate"}),
        "recovery_target_action": "promote" if is_last else "pause",
        "recovery_target_timeline": str(backup.timeline),
    }
    cleared = {name: "" for name in TARGETS if name not in target}
    try:
        settings = copy.configuration(backup.settings).scratch(hot_standby=not is_last)
        copy.cluster.start(settings | cleared | target, timeout_s=RECOVERY_TIMEOUT_S)
        _await_end(copy, server, is_last=is_last)
    except OpsError as error:
        raise _judged(error, backup, point, last_words(copy.cluster.log)) from None
    try:
        if point and is_last:
            _require_reached(backup, copy, point)
        yield server
    finally:
        copy.cluster.stop("immediate")


def _judged(error: OpsError, backup: Backup, point: RestorePoint | None, words: str) -> OpsError:
    """Tell a copy that cannot recover from a machine that cannot run it."""
    if words == SILENT or any(shortage in words for shortage in SHORTAGES):
        return error
    return Corrupt(
        "the copy does not recover to its seal",
        stanza=backup.stanza,
        seen=str(error),
        expected=f"restore point {point.name}" if point else "a consistent copy",
    )


def _await_end(copy: Scratch, server: Server, *, is_last: bool) -> None:
    """Wait until the copy is promoted, or paused where it should; its start is said too early.

    Raises:
        OpsError: it ended, or took too long.

    """
    deadline = time.monotonic() + RECOVERY_TIMEOUT_S
    while copy.cluster.pid() is not None:
        try:
            with server.connect() as connection:
                while not _has_ended(connection, is_last=is_last):
                    time.sleep(0.02)
                return
        except Transient:
            if time.monotonic() > deadline:
                raise OpsError("recovery took too long", seen=f"{RECOVERY_TIMEOUT_S} s") from None
            time.sleep(0.05)
    raise OpsError("the server ended", seen=last_words(copy.cluster.log))


def _has_ended(connection: Connection, *, is_last: bool) -> bool:
    query = (
        "select not pg_is_in_recovery()"
        if is_last
        else "select pg_get_wal_replay_pause_state() = 'paused'"
    )
    return connection.execute(query.encode()).fetchone() == (True,)


def require_version(backup: Backup, tools: Path) -> None:
    """Require programs of the backup's own major version; those of another read it wrongly.

    Raises:
        Refused: they are of another one.

    """
    major = programs.major(tools, "postgres")
    if major != backup.server_version // 10000:
        raise Refused(
            "a backup is restored by programs of its own major version",
            stanza=backup.stanza,
            seen=f"PostgreSQL {major} in {tools}",
            expected=f"PostgreSQL {backup.server_version // 10000}",
            do="set HL7OPS_PROGRAMS to the directory of that version's programs",
        )


def _signal_recovery(copy: Scratch) -> None:
    """Let the copy recover from the archive to a target."""
    (copy.data / "standby.signal").unlink(missing_ok=True)
    signal = copy.data / "recovery.signal"
    signal.touch()
    copy.owner.take(signal)


def _require_reached(backup: Backup, copy: Scratch, point: RestorePoint) -> None:
    """See that the copy's new timeline began at the restore point, by its history."""
    histories = sorted((copy.data / "pg_wal").glob("*.history"))
    lines = histories[-1].read_text().strip().splitlines() if histories else []
    match = re.search(r'at restore point "([^"]+)"', lines[-1]) if lines else None
    reached = match[1] if match else "no restore point"
    if reached != point.name:
        raise Corrupt(
            "the copy stopped elsewhere",
            stanza=backup.stanza,
            seen=reached,
            expected=f"restore point {point.name}",
        )
