"""One cluster in a process of its own: taken, proven, restored, and read by the oracle."""

import json
import sys
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.hostile import oracle
from benchmarks.hostile.cluster import Place, address, place, plainly
from benchmarks.hostile.drawing import Drawn, alone, draw
from tasks.backup.take import take
from tasks.control.errors import OpsError
from tasks.postgres.server import Server
from tasks.recovery.planning.target import parse
from tasks.recovery.proving.verify import verify
from tasks.recovery.restoring import restored
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.restore import restore
from tasks.recovery.restoring.restored import Restored
from tasks.recovery.snapshots.loading import restore_snapshot
from tasks.recovery.snapshots.selection import parse as chosen
from tasks.recovery.snapshots.wanted import wanted
from tasks.repository.model import Backup, BackupType


SHOWN = 6
"""So many names of a kind are kept."""


@dataclass
class Outcome:
    """What became of one backup, step by step, and what the oracle says of its copy."""

    kind: BackupType
    take: str = "not tried"
    verdict: str = "not tried"
    checks: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    restore: str = "not tried"
    differs: list[str] = field(default_factory=list)
    longest_s: float = 0.0


def live(drawn: Drawn, folder: Path, kinds: list[BackupType]) -> dict[str, object]:
    """Make a cluster, and try backups of some kinds in it."""
    with place(drawn, folder) as made:
        outcomes = [asdict(tried(made, kind)) for kind in kinds]
        return {
            "name": drawn.name,
            "major": drawn.major,
            "features": [each.name for each in drawn.features],
            "unmade": list(dict.fromkeys(made.unmade)),
            "outcomes": outcomes,
        }


def tried(made: Place, kind: BackupType) -> Outcome:
    """Take, prove and restore one backup; whatever fails is noted, and the rest goes on."""
    found = Outcome(kind)
    with ExitStack() as meanwhile:
        before = oracle.read(made.address("postgres"), views=kind != "snapshot")
        meanwhile.enter_context(made.going_on())
        try:
            backup = take(made.stanza, kind)
            found.take = "taken"
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what came out
            found.take = _told(error)
    found.longest_s = round(made.longest_s, 2)
    if found.take != "taken":
        return found
    try:
        proof = verify(made.stanza, backup.id)
        found.verdict = proof.verdict
        found.checks = [f"{each.tier}, {each.name}: {each.seen}" for each in proof.failed]
        seen = (each for each in proof.checks if each.outcome == "partial")
        found.partial = [f"{each.tier}, {each.name}: {each.seen}" for each in seen]
    except Exception as error:  # noqa: BLE001 - likewise
        found.verdict = _told(error)
    try:
        found.differs = _restored(made, backup, before, is_partial=found.verdict == "partial")
        found.restore = "restored"
    except Exception as error:  # noqa: BLE001 - likewise
        found.restore = _told(error)
        found.differs = _read_in_proof(made, backup, before)
    return found


def _restored(
    made: Place, backup: Backup, before: oracle.Reading, *, is_partial: bool
) -> list[str]:
    """Restore it and return what the oracle finds in the copy that was not in the source.

    What a dump cannot carry has been named by the proof, which the restore is told to accept.
    """
    path, views = made.folder / f"copy-{backup.type}", backup.type != "snapshot"
    done = _copy(made, backup, path, is_partial=is_partial)
    try:
        at = address(done.cluster, "template1", done.superuser, made.drawn.major)
        return _differing(before, oracle.read(at, views=views))
    finally:
        done.cluster.stop("immediate")
        restored.remove(path)


def _read_in_proof(made: Place, backup: Backup, before: oracle.Reading) -> list[str]:
    """Let a second proof lend its copy to the oracle, where no restore was to be had."""
    readings = []

    def look(server: Server) -> None:
        at = plainly(server.address, made.drawn.major, dbname="template1")
        readings.append(oracle.read(at, views=backup.type != "snapshot"))

    with suppress(OpsError):
        verify(made.stanza, backup.id, meddle=look)
    return _differing(before, readings[0]) if readings else ["no copy to be read"]


def _differing(before: oracle.Reading, after: oracle.Reading) -> list[str]:
    return (oracle.differences(before.state, after.state) + after.torn)[:SHOWN]


def _copy(made: Place, backup: Backup, path: Path, *, is_partial: bool) -> Restored:
    if backup.type == "snapshot":
        what = wanted(made.stanza, backup, chosen([], []), accepted=is_partial)
        return restore_snapshot(made.stanza, what, Destination(path), lambda *_: None)
    return restore(made.stanza, parse(backup.id), Destination(path), promote=True)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:600]


def main(name: str, major: str, folder: str, kinds: str) -> None:
    """Live through a seed, or one feature by its name on a major version; print what came out."""
    drawn = draw(int(name)) if name.isdigit() else alone(name, int(major))
    many: list[BackupType] = [k for k in ("full", "snapshot") if k in kinds]
    print(json.dumps(live(drawn, Path(folder), many)))


if __name__ == "__main__":
    main(*sys.argv[1:])
