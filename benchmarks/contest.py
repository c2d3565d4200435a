"""A round of backups: who takes part, what each stores, and the table of it."""

import shutil
import statistics
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.rivals.barman import Barman
from benchmarks.rivals.ground import Ground
from benchmarks.rivals.ours import Ours
from benchmarks.rivals.pgbackrest import PgBackRest
from benchmarks.rivals.rival import Kind, largest_first, size_of
from benchmarks.scale import MEGABYTES, MESSAGES
from benchmarks.timing import Times, alternating, peak_of
from tasks.hl7.generator import bulk
from tasks.hl7.platform import installation
from tasks.repository.model import BackupType


@dataclass(frozen=True)
class Entry:
    """A contestant: how it takes a backup, what that takes up without WAL, and what comes before.

    WAL that was written before a backup is archived outside its time, whoever archives it.
    """

    run: Callable[[], float]
    stored: Callable[[], int]
    settle: Callable[[], None] = lambda: None


@dataclass
class Contest:
    """The contestants on one ground, and what was found."""

    entries: dict[str, Entry] = field(default_factory=dict)
    stored: dict[str, int] = field(default_factory=dict)

    def hold(self, rounds: int) -> dict[str, Times]:
        """Let them take turns."""

        def between(name: str) -> None:
            self.stored[name] = self.entries[name].stored()

        runs = {name: entry.run for name, entry in self.entries.items()}
        return alternating(runs, rounds, between, lambda name: self.entries[name].settle())

    def show(self, found: dict[str, Times], first: str) -> None:
        """Print a line for each: time and spread, ratio to the first, memory, stored bytes."""
        for name, times in found.items():
            stored = self.stored[name] / 1e6
            print(f"  {name:<34} {times.beside(found[first])}   stored {stored:8,.1f} MB")


def fill(ground: Ground) -> None:
    """Fill the platform with generated traffic."""
    installation.install(ground.server())
    filled = bulk.fill(ground.server(), MESSAGES, seed=1)
    print(f"  {filled.megabytes:,.0f} MB of traffic (asked: {MEGABYTES}), {filled.seconds:.0f} s")
    ground.execute("alter system set autovacuum = off", "select pg_reload_conf()", "checkpoint")


def by_ours(ours: Ours, kind: BackupType = "full") -> Entry:
    """Return this project as a contestant."""
    return Entry(
        lambda: peak_of(ours.command("backup", kind), ours.environment),
        lambda: int(ours.told("backups")[-1]["bytes_stored"]),
        ours.settle,
    )


def by_pgbackrest(rival: PgBackRest, kind: Kind = "full", repository: int = 1) -> Entry:
    """Return pgBackRest as a contestant, into one of its repositories."""
    command, how = rival.backup_command(kind, repository), rival.ground.owner.spawn()

    def stored() -> int:
        return size_of(rival.folder(rival.backups(repository)[-1], repository))

    return Entry(lambda: peak_of(command, cwd="/", **how), stored)


def by_barman(rival: Barman, kind: Kind = "full", *, packed: bool = False) -> Entry:
    """Return Barman as a contestant; its backups are deleted as soon as they are measured."""
    command = rival.backup_command(kind, packed=packed)

    def stored() -> int:
        made = rival.backups()[-1]
        size = size_of(rival.folder(made) / "data")
        if kind == "full":
            rival.delete(made)
        return size

    return Entry(lambda: peak_of(command, cwd="/"), stored)


def by_basebackup(ground: Ground, *how: str) -> Entry:
    """Return `pg_basebackup` with options as a contestant; the WAL that it adds is not counted."""
    target, cluster = ground.path / "theirs", ground.cluster
    command = [
        *(str(cluster.programs / "pg_basebackup"), "-h", str(cluster.sockets)),
        *("-p", str(cluster.port), "-U", "postgres", "-D", str(target)),
        *("-c", "fast", "-X", "stream", *how),
    ]

    def stored() -> int:
        files = [path for path in largest_first(target) if "pg_wal" not in str(path)]
        size = sum(path.stat().st_size for path in files)
        shutil.rmtree(target)
        return size

    return Entry(lambda: peak_of(command, cwd="/"), stored)


def can_zstd(programs: Path) -> bool:
    """Tell whether a build of PostgreSQL brings zstd."""
    said = subprocess.run(
        [programs / "pg_config", "--configure"], capture_output=True, text=True, check=False
    ).stdout
    return "--with-zstd" in said


def show_phases(ours: Ours) -> None:
    """Print the median of each phase over all backups of a repository."""
    made = ours.told("backups")
    for name in made[0]["phases"]:
        spent = statistics.median(backup["phases"][name] for backup in made)
        print(f"    {ours.stanza}: phase {name:<14} {spent:6.2f} s")
    copied = statistics.median(backup["phases"]["copy"] for backup in made)
    last = made[-1]
    share = 100 * last["bytes_stored"] / last["bytes_source"]
    rate = last["bytes_source"] / 1e6 / copied
    print(f"    {ours.stanza}: copied at {rate:,.0f} MB/s, {share:.0f} % of it stored")
