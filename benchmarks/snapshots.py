"""A snapshot beside plain `pg_dump`, which neither hashes nor seals what it writes."""

from benchmarks.contest import Contest, Entry, by_ours
from benchmarks.rivals.ground import Ground
from benchmarks.rivals.ours import Ours
from benchmarks.scale import ROUNDS
from benchmarks.timing import peak_of


LEVEL = 9
"""The compression that a snapshot has unless another is set."""


def measure(on: Ground, ours: Ours) -> None:
    """Take both in turn."""
    print("on PostgreSQL 18, snapshot")
    contest = Contest({f"pg_dump -Fc -Z{LEVEL}": _plain(on), "hl7ops": by_ours(ours, "snapshot")})
    contest.show(contest.hold(min(ROUNDS, 3)), f"pg_dump -Fc -Z{LEVEL}")


def _plain(on: Ground) -> Entry:
    target, cluster = on.path / "plain.dump", on.cluster
    command = [
        *(str(cluster.programs / "pg_dump"), "-h", str(cluster.sockets), "-p", str(cluster.port)),
        *("-U", "postgres", "-Fc", f"-Z{LEVEL}", "-f", str(target), "hl7"),
    ]

    def stored() -> int:
        size = target.stat().st_size
        target.unlink()
        return size

    return Entry(lambda: peak_of(command, cwd="/"), stored)
