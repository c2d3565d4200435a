"""Restores to the first query, beside the other tools' and the same bytes by plain ones.

pgBackRest restores on PostgreSQL 15, Barman on the embedded 18, as they back up in `speed`. Every
way ends when the copy can be written and has answered a query, with all of the WAL that the backup
needs; what each leaves is taken away outside of its time.
"""

import shutil

from benchmarks.contest import fill
from benchmarks.restoring import bucket, chain, database, replay, whole
from benchmarks.rivals import barman, pgbackrest
from benchmarks.rivals.ground import ground
from benchmarks.rivals.ours import Ours


def main() -> None:
    """Race on both clusters, one after the other."""
    pgbackrest.ensure()
    if shutil.which("rsync") is None:  # Barman copies with it
        pgbackrest.packages("rsync")
    _on_fifteen()
    _on_embedded()


def _on_fifteen() -> None:
    with ground(pgbackrest.PROGRAMS) as on:
        print("PostgreSQL 15, pgBackRest")
        fill(on)
        rival, ours = pgbackrest.PgBackRest(on), Ours(on)
        rival.set_up()
        rival.backup("full")
        rival.settle()
        ours.set_up()
        whole.beside_pgbackrest(ours, rival, ours.told("backup", "full")["id"])


def _on_embedded() -> None:
    with barman.installed() as tool, ground() as on:
        print(f"PostgreSQL 18, Barman {barman.version(tool)}")
        fill(on)
        rival, ours = barman.Barman(on, tool), Ours(on)
        rival.set_up()
        rival.backup("full")
        rival.settle()
        ours.set_up()
        backup = ours.told("backup", "full")["id"]
        whole.beside_barman(ours, rival, backup)
        bucket.measure(ours)
        database.measure(ours, backup)
        chain.measure(ours, rival, backup)
        replay.measure(ours)
