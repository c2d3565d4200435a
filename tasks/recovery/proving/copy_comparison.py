"""Hold any restored directory against the seal of a backup."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.control.errors import Corrupt, OpsError, Refused
from tasks.postgres import auto_conf
from tasks.postgres.cluster import Cluster
from tasks.postgres.copy_configuration import Configuration
from tasks.postgres.owner import owner_of
from tasks.postgres.server import Server
from tasks.recovery.copies.scratch import PORT, scratch
from tasks.recovery.proving import holding
from tasks.recovery.proving.comparison import Part
from tasks.recovery.restoring import restored
from tasks.recovery.restoring.directory import MARK, served_by
from tasks.repository.model import Backup
from tasks.repository.proof import Check
from tasks.repository.stanza import Stanza


PAUSED = {
    "restore_command": "false",
    "recovery_target": "immediate",
    "recovery_target_action": "pause",
}
"""How a copy is started whose recovery was paused, so that it stays where it is."""


def compare(stanza: Stanza, path: Path, wanted: str) -> list[Check]:
    """Hold a data directory against the seal of a backup; nothing is recorded.

    A copy of ours that runs is asked as it is; a directory that nobody serves is started apart from
    everybody, on a configuration of ours, and stopped again. It should have been restored to just
    that backup: one that went further differs.

    Args:
        stanza: whose.
        path: the data directory.
        wanted: the id of the backup.

    Raises:
        Refused: it is no data directory, another server runs on it, or the backup has no seal.

    """
    backup = stanza.catalogue.get(wanted)
    if not backup.is_sealed:
        raise Refused(
            "the backup has no seal to compare with", stanza=stanza.name, seen=backup.seal.problem
        )
    tools = stanza.with_programs_of(backup).programs
    part = Part(stanza.catalogue.fingerprint(backup), is_loaded=backup.type == "snapshot")
    with _served(stanza, backup, path, tools) as server:
        found = holding.look(server, tools, backup, part)
        found.altered = auto_conf.of_copy(path) if backup.type != "snapshot" else None
        return [*holding.contents(part, server, found), *holding.not_compared(part, found)]


def require_equal(path: Path, checks: list[Check]) -> None:
    """Require that no check failed.

    Raises:
        Corrupt: the directory differs from the seal; names in what.
        OpsError: a check could not run.

    """
    bad = [check for check in checks if check.outcome in ("fail", "error")]
    if bad:
        kind = Corrupt if any(check.outcome == "fail" for check in bad) else OpsError
        raise kind(
            "the copy differs from the seal",
            seen="; ".join(f"{check.name}: {check.seen}" for check in bad[:3]),
            expected=f"{path} as it was sealed",
            do="see whether it was restored to just this backup, and written since",
        )


@contextmanager
def _served(stanza: Stanza, backup: Backup, path: Path, tools: Path) -> Iterator[Server]:
    """Yield a server of a directory: the one that runs, or one of our own."""
    if not (path / MARK).exists():
        raise Refused("that is no data directory", seen=path, expected=f"one that holds {MARK}")
    pid = served_by(path)
    if pid is not None:
        if not restored.exists(path) or restored.find(path).cluster.pid() is None:
            raise Refused(
                "another server runs on the directory", seen=f"process {pid}", do="stop it first"
            )
        yield restored.find(path).server
        return
    with scratch(stanza.home, f"compare-{os.getpid()}", 0) as place:
        log = place.path / "server.log"
        sockets = place.cluster.sockets
        cluster = Cluster(path, sockets, PORT, tools, log, is_copy=True, is_bound=True)
        settings = Configuration(path, tools, owner_of(path), place.path, backup.settings)
        try:
            paused = PAUSED if (path / "recovery.signal").exists() else {}
            cluster.start(settings.restored() | paused)
            yield cluster.server(stanza.name, superuser=backup.maker)
        finally:
            cluster.stop("fast")
            auto_conf.give_back(path)
