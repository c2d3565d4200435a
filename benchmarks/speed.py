"""Backups beside the other tools' on the same cluster: full, incremental, to S3; then the proof.

pgBackRest runs on PostgreSQL 15, as Debian packages both; Barman on the embedded 18. Everything
begins with an immediate checkpoint and ends with its WAL archived. The server archives by command
for the rivals, which takes a little of everybody's time, and this project pulls what has been
switched meanwhile, also by the others.
"""

from benchmarks import buckets, increments, proofs, snapshots
from benchmarks.contest import (
    Contest,
    Entry,
    by_barman,
    by_basebackup,
    by_ours,
    by_pgbackrest,
    can_zstd,
    fill,
    show_phases,
)
from benchmarks.rivals import barman, pgbackrest
from benchmarks.rivals.ground import Ground, ground
from benchmarks.rivals.ours import Ours
from benchmarks.scale import ROUNDS


OURS = "hl7ops"


def main() -> None:
    """Measure on both clusters, one after the other."""
    pgbackrest.ensure()
    _on_fifteen()
    _on_embedded()


def _on_fifteen() -> None:
    with ground(pgbackrest.PROGRAMS) as on:
        print("on PostgreSQL 15, full")
        fill(on)
        rival = pgbackrest.PgBackRest(on, encrypted=True)
        rival.set_up()
        plain, sealed = _ours(on)
        _full(
            plain,
            sealed,
            _basebackups(on)
            | {
                "pgBackRest, zst 1, 2 processes": by_pgbackrest(rival),
                "pgBackRest, the same, encrypted": by_pgbackrest(rival, repository=2),
            },
        )
        increments.by_files(on, rival, plain)


def _on_embedded() -> None:
    with barman.installed() as tool, ground() as on:
        print(f"on PostgreSQL 18, full; Barman {barman.version(tool)}")
        fill(on)
        rival = barman.Barman(on, tool)
        rival.set_up()
        plain, sealed = _ours(on)
        _full(
            plain,
            sealed,
            _basebackups(on)
            | {
                "Barman, plain": by_barman(rival),
                "Barman, gzip 1": by_barman(rival, packed=True),
            },
        )
        proofs.measure(plain)
        buckets.measure(on, plain)
        increments.by_blocks(on, rival, plain)
        snapshots.measure(on, plain)


def _ours(on: Ground) -> tuple[Ours, Ours]:
    """Return a plain and an encrypting stanza on the same cluster, each with its own home."""
    import pyrage  # noqa: PLC0415

    identity = pyrage.x25519.Identity.generate()
    return Ours(on), Ours(on, {"AGE_RECIPIENTS": str(identity.to_public())}, "sealed")


def _basebackups(on: Ground) -> dict[str, Entry]:
    entries = {
        "pg_basebackup, directory": by_basebackup(on, "-Fp"),
        "pg_basebackup, tar, gzip 1": by_basebackup(on, "-Ft", "--compress=client-gzip:1"),
    }
    if can_zstd(on.cluster.programs):
        for where in ("client", "server"):
            how = f"--compress={where}-zstd:1"
            entries[f"pg_basebackup, tar, {where} zstd 1"] = by_basebackup(on, "-Ft", how)
    return entries


def _full(plain: Ours, sealed: Ours, others: dict[str, Entry]) -> None:
    ours = {OURS: by_ours(plain), f"{OURS}, encrypted": by_ours(sealed)}
    contest = Contest(ours | others)
    contest.show(contest.hold(ROUNDS), OURS)
    show_phases(plain)
    show_phases(sealed)
