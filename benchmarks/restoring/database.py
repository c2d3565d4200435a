"""One database of the live cluster set back and rolled back, beside `pg_restore` of a dump."""

import json
import shutil
import statistics
import time
from dataclasses import dataclass, field
from functools import partial

from benchmarks.restoring.landing import look_at
from benchmarks.restoring.race import Phases, Way, race
from benchmarks.rivals.ground import DATABASE, Ground
from benchmarks.rivals.ours import Ours
from benchmarks.scale import ROUNDS
from benchmarks.timing import Times, peak_of, watched


RESTORES = min(ROUNDS, 3)
"""Rounds: loading a database takes longer than copying it."""

NEW = "loaded"

JOBS = "2"


@dataclass
class SetBack:
    """What setting a database back took beside its whole time: of each round."""

    phases: Phases = field(default_factory=Phases)
    swaps: list[float] = field(default_factory=list)
    rollbacks: Times = field(default_factory=Times)
    rollback_swaps: list[float] = field(default_factory=list)

    def show(self, whole: Times) -> None:
        """Print the phases, and for how long nobody could connect."""
        self.phases.show(whole)
        for name, seconds in (("swap", self.swaps), ("rollback", self.rollback_swaps)):
            print(f"    {name}: nobody could connect for {statistics.median(seconds):.3f} s")
        print(f"    rollback, with the command line: {self.rollbacks}")


def measure(ours: Ours, backup: str) -> None:
    """Dump the database, and race from a backup of it and from the dump."""
    on, found = ours.ground, SetBack()
    dump = on.path / "dump"
    on.must([*_program(on, "pg_dump"), "-Fd", "-j", JOBS, "-Z1", "-f", str(dump), DATABASE])
    ways = {
        "hl7ops database restore": Way(
            partial(_set_back, ours, backup, found),
            partial(_roll_back, ours, found),
            lambda: look_at(on.server()),
        ),
        f"pg_restore -j{JOBS}, new database": Way(
            lambda: peak_of([*_program(on, "pg_restore"), "-j", JOBS, "-d", NEW, str(dump)]),
            lambda: _drop(on, NEW),
            lambda: look_at(on.server(NEW)),
            lambda: _execute(on, f"create database {NEW}"),
        ),
    }
    times = race("on PostgreSQL 18, one database", ways, RESTORES)
    found.show(times["hl7ops database restore"])
    shutil.rmtree(dump)


def _program(on: Ground, name: str) -> list[str]:
    """Return the beginning of a command line of a program that connects to the cluster."""
    cluster = on.cluster
    address = ("-h", str(cluster.sockets), "-p", str(cluster.port), "-U", "postgres")
    return [str(cluster.programs / name), *address]


def _set_back(ours: Ours, backup: str, found: SetBack) -> float:
    arguments = ("database", "restore", DATABASE, backup, "--yes", DATABASE, "--json")
    ended = watched(ours.command(*arguments), ours.environment)
    said = json.loads(ended.printed)
    swap = said["swapped"]["seconds"]
    found.phases.note(said["seconds"] | {"swap": swap})
    found.swaps.append(swap)
    return ended.peak_mb


def _roll_back(ours: Ours, found: SetBack) -> None:
    """Roll back as well, timed apart, and drop what was swapped in."""
    began = time.perf_counter()
    said = ours.told("database", "rollback", DATABASE)
    found.rollbacks.seconds.append(time.perf_counter() - began)
    found.rollback_swaps.append(said["seconds"])
    _drop(ours.ground, said["previous"])


def _drop(on: Ground, database: str) -> None:
    _execute(on, f'drop database "{database}" with (force)')


def _execute(on: Ground, statement: str) -> None:
    with on.server("postgres").connect() as connection:
        connection.execute(statement)
