"""The whole cluster: from nothing, and over an older copy of which little differs."""

from collections.abc import Mapping

from benchmarks.restoring.landing import Landing
from benchmarks.restoring.race import Phases, Way, race
from benchmarks.restoring.ways import (
    by_barman,
    by_hand,
    by_ours,
    by_pgbackrest,
    over,
    stop_ours,
)
from benchmarks.rivals.barman import Barman
from benchmarks.rivals.ours import Ours
from benchmarks.rivals.pgbackrest import PgBackRest


OURS = "hl7ops"


def beside_pgbackrest(ours: Ours, rival: PgBackRest, backup: str) -> None:
    """Race on PostgreSQL 15."""
    name = "pgBackRest, 2 processes"
    full, delta = by_pgbackrest(rival), by_pgbackrest(rival, "--delta")
    landing = Landing(ours.ground)
    _full("15", ours, backup, {name: full})
    _delta("15", ours, backup, {f"{name}, delta": over(full, landing.stop, delta)})


def beside_barman(ours: Ours, rival: Barman, backup: str) -> None:
    """Race on PostgreSQL 18."""
    name = "Barman, 2 jobs"
    full, delta = by_barman(rival), by_barman(rival, "--delta-restore")
    landing = Landing(ours.ground)
    _full("18", ours, backup, {name: full})
    _delta("18", ours, backup, {f"{name}, delta": over(full, landing.stop, delta)})


def _full(version: str, ours: Ours, backup: str, others: Mapping[str, Way]) -> None:
    phases = Phases()
    ways = {
        OURS: by_ours(ours, backup, phases),
        "zstd and tar": by_hand(ours, backup),
        **others,
    }
    found = race(f"on PostgreSQL {version}, full", ways)
    phases.show(found[OURS])


def _delta(version: str, ours: Ours, backup: str, others: Mapping[str, Way]) -> None:
    phases, older = Phases(), by_ours(ours, backup, Phases())
    mine = by_ours(ours, backup, phases, "--delta")
    name = f"{OURS}, delta"
    ways = {name: over(older, stop_ours(Landing(ours.ground).path), mine), **others}
    found = race(f"on PostgreSQL {version}, over an older copy", ways)
    phases.show(found[name])
