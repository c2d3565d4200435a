"""A chain of four: a full backup and three incremental ones, put together and started."""

from benchmarks import increments
from benchmarks.restoring import plain
from benchmarks.restoring.landing import Landing
from benchmarks.restoring.race import Phases, Way, race
from benchmarks.restoring.ways import by_barman, by_command, by_ours
from benchmarks.rivals.barman import Barman
from benchmarks.rivals.ours import Ours


LINKS = 3
"""Incremental backups after the full one."""

PERCENT = 1
"""Of the messages that change before each."""

STAGING = "barman-staging"


def measure(ours: Ours, rival: Barman, full: str) -> None:
    """Build a chain on a full backup with each tool, and race."""
    chain = [full]
    for _ in range(LINKS):
        increments.change(ours.ground, PERCENT)
        rival.backup("incremental")
        rival.settle()
        chain.append(ours.told("backup", "incremental")["id"])
    staging = ours.ground.path / STAGING
    staging.mkdir()
    phases = Phases()
    ways = {
        "hl7ops": by_ours(ours, chain[-1], phases),
        "zstd, tar, pg_combinebackup": _by_hand(ours, chain),
        "Barman, 2 jobs": by_barman(
            rival, "--staging-path", str(staging), "--staging-location", "local"
        ),
    }
    found = race(f"on PostgreSQL 18, a chain of {len(chain)}", ways)
    phases.show(found["hl7ops"])


def _by_hand(ours: Ours, chain: list[str]) -> Way:
    """Return the way of plain tools: the full backup is unpacked beside the others."""
    landing = Landing(ours.ground)
    place = landing.ground.path / "chain"
    first, *others = (plain.unpack(ours.folder(each), place / each) for each in chain)
    combine = landing.ground.cluster.programs / "pg_combinebackup"
    links = " ".join(str(place / each) for each in chain)
    command = plain.script(
        f"mkdir {place}",
        f"(\nset -eo pipefail\n{first}\n) &",
        *others,
        "wait $!",
        f"{combine} --no-sync --link --output {landing.path} {links}",
        plain.lay_wal(plain.wal_of(ours, chain[-1]), landing.path),
        f"rm -r {place}",
    )
    return by_command(landing, command)
