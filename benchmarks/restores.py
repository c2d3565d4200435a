"""A restore to the first query, beside Barman and beside the same bytes by plain tools."""

import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from benchmarks.contest import fill
from benchmarks.rivals import barman, pgbackrest
from benchmarks.rivals.barman import Barman
from benchmarks.rivals.ground import Ground, ground
from benchmarks.rivals.ours import Ours
from benchmarks.scale import ROUNDS
from benchmarks.timing import alternating, peak_of
from tasks.postgres.cluster import Cluster, socket_directory
from tasks.recovery.restoring import restored


OURS = "hl7ops, full"


def main() -> None:
    """Fill a cluster, back it up with each tool, and let them restore in turn."""
    if shutil.which("rsync") is None:  # Barman copies with it
        pgbackrest.packages("rsync")
    with barman.installed() as tool, ground() as on:
        print(f"on PostgreSQL 18; Barman {barman.version(tool)}")
        fill(on)
        rival, ours = Barman(on, tool), Ours(on)
        rival.set_up()
        rival.backup("full")
        rival.settle()
        ours.set_up()
        made = ours.told("backup", "full")
        contestants = {
            OURS: _by_ours(ours, made["id"]),
            "hl7ops, delta": _by_ours(ours, made["id"], "--delta"),
            "zstd and tar, WAL, start": _by_hand(ours, made["id"]),
            "Barman, start": _by_barman(on, rival),
        }
        found = alternating(
            contestants,
            ROUNDS,
            lambda name: _after(on, name),
            lambda name: _before(on, name, ours, made["id"]),
        )
    for name, times in found.items():
        ratio = times.median / found[OURS].median
        print(f"  {name:<28} {times!s:<26} {ratio:5.2f} x   peak {times.peak_mb:6,.0f} MB")
    for name, seconds in _PHASES.items():
        print(f"    phase {name:<20} {seconds:6.2f} s")


_PHASES: dict[str, float] = {}


def _place(on: Ground) -> Path:
    return on.path / "copy"


def _before(on: Ground, name: str, ours: Ours, backup: str) -> None:
    """Leave an older copy where a delta is restored over one."""
    if name == "hl7ops, delta":
        ours.told("restore", backup, "--to", str(_place(on)), "--promote")
        copy = restored.find(_place(on))
        copy.cluster.stop()


def _after(on: Ground, name: str) -> None:
    """Note the phases, stop the copy and take it away."""
    path = _place(on)
    if name.startswith("hl7ops"):
        copy = restored.find(path)
        if name == OURS:
            _PHASES.update(copy.seconds)
        restored.remove(path)
        return
    _cluster(on).stop("immediate")
    shutil.rmtree(path)


def _cluster(on: Ground) -> Cluster:
    return Cluster(
        _place(on), socket_directory(on.path / "copy-run", 5444), 5444, on.cluster.programs
    )


def _by_ours(ours: Ours, backup: str, *how: str) -> Callable[[], float]:
    place = str(_place(ours.ground))
    command = ours.command("restore", backup, "--to", place, "--promote", "--json", *how)
    return lambda: peak_of(command, ours.environment)


def _by_hand(ours: Ours, backup: str) -> Callable[[], float]:
    on, path = ours.ground, _place(ours.ground)
    base = ours.folder(backup) / "base.tar.zst"

    def run() -> float:
        path.mkdir(mode=0o700)
        wal = "; ".join(
            f"zstd -dcq {shlex.quote(str(each))} > {path}/pg_wal/{name}"
            for name, each in ours.wal().items()
        )
        script = f"set -e; zstd -dcq {base} | tar -x -C {path}; {wal}"
        subprocess.run(["/bin/bash", "-c", script], check=True)
        _own(on)
        _start(on)
        return 0.0

    return run


def _by_barman(on: Ground, rival: Barman) -> Callable[[], float]:
    def run() -> float:
        command = rival.command("recover", "main", rival.backups()[-1], str(_place(on)))
        on.must(command, as_ourselves=True)
        _own(on)
        _start(on)
        return 0.0

    return run


def _own(on: Ground) -> None:
    """Give the copy to the server's user."""
    whose = f"{on.owner.uid}:{on.owner.gid}"
    subprocess.run(["/bin/chown", "-R", whose, str(_place(on))], check=True)


def _start(on: Ground) -> None:
    """Start a copy, and ask it something."""
    cluster = _cluster(on)
    cluster.start({"archive_mode": "off"}, timeout_s=600)
    with cluster.server("main", "hl7").connect() as connection:
        connection.execute("select 1")
