"""A full backup beside `pg_basebackup` on a gigabyte; then what a proof and Prefect cost."""

import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.place import place
from benchmarks.scale import MESSAGES, ROUNDS
from benchmarks.timing import Times, alternating, peak_of
from flows.verbs.service import prefect
from tasks.hl7.generator import bulk
from tasks.hl7.platform import installation
from tasks.postgres import programs
from tasks.repository.stanza import Stanza


CHAIN_ROUNDS = min(ROUNDS, 3)

CHAIN = """
import time
from tasks.control import settings
from tasks.repository.stanza import open_stanza
from tasks.backup import cleanup, take, wal
from tasks.recovery.proving import verify
stanza = open_stanza(settings.load())
made = take.take(stanza)
verify.verify(stanza, made.id).require()
cleanup.cleanup(stanza)
wal.coverage(stanza)
"""
"""What the runbook does, without Prefect and without its report."""


def main() -> None:
    """Fill a cluster, and measure the chain on it."""
    with place() as stanza:
        installation.install(stanza.server())
        filled = bulk.fill(stanza.server(), MESSAGES, seed=1)
        print(f"{filled.megabytes:,.0f} MB of traffic, filled in {filled.seconds:.0f} s")
        with stanza.server().connect() as connection:
            connection.execute("checkpoint")
        _beside_pg_basebackup(stanza)
        _digest_and_proof(stanza)
        _share_of_prefect(stanza)


def _beside_pg_basebackup(stanza: Stanza) -> None:
    """Compare times and memory; all with an immediate checkpoint, WAL included."""
    target = stanza.home.path / "theirs"
    contestants = {
        "hl7ops backup full": lambda: peak_of(_hl7ops("backup", "full"), _environment(stanza)),
        "pg_basebackup, directory": lambda: _theirs(stanza, target, "-Fp"),
        "pg_basebackup, gzip tar": lambda: _theirs(stanza, target, "-Ft", "-z"),
    }
    found = alternating(
        contestants, ROUNDS, lambda _name: shutil.rmtree(target, ignore_errors=True)
    )
    _compared(found, "hl7ops backup full")
    made = stanza.catalogue.backups()
    for name in made[0].phases:
        spent = statistics.median(backup.phases[name] for backup in made)
        print(f"    phase {name:<20} {spent:6.2f} s")
    rate = made[-1].bytes_source / 1e6 / statistics.median(b.phases["copy"] for b in made)
    print(f"    copied, hashed and compressed at {rate:,.0f} MB/s, to {_percent(made[-1])} of it")


def _digest_and_proof(stanza: Stanza) -> None:
    backup = stanza.catalogue.get("latest")
    with stanza.server().connect() as connection:
        row = connection.execute(
            "select sum(pg_table_size(oid)) / 1e6 from pg_class"
            " where relkind = 'r' and relnamespace = 'hl7'::regnamespace"
        ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always gives a row
    print(f"  seal: {float(row[0]) / backup.seal.seconds:,.0f} MB/s of tables digested and counted")
    done = subprocess.run(
        _hl7ops("verify", "latest", "--json"),
        env=_environment(stanza),
        check=True,
        capture_output=True,
    )
    proof = json.loads(done.stdout)
    spent = {tier["tier"]: tier["seconds"] for tier in proof["tiers"]}
    told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in spent.items())
    rate = backup.bytes_source / 1e6 / sum(spent.values())
    print(f"  verify: {proof['verdict']}, {rate:,.0f} MB/s ({told})")


def _share_of_prefect(stanza: Stanza) -> None:
    """Compare the runbook under a real API with the same work without it."""
    with prefect(stanza.home, 4600) as (server, process):
        server.await_health(process)
        code = "from flows.backup import backup; backup()"
        contestants = {
            "the chain by itself": lambda: peak_of(_python(CHAIN), _environment(stanza)),
            "the runbook, with its report": lambda: peak_of(_python(code), server.environment()),
        }
        found = alternating(contestants, CHAIN_ROUNDS)
    _compared(found, "the chain by itself")
    alone, under = (found[name].median for name in contestants)
    print(f"    Prefect and the report take {100 * (under - alone) / under:.0f} % of the runbook")


def _theirs(stanza: Stanza, target: Path, *how: str) -> float:
    tool = str(stanza.programs / "pg_basebackup")
    with programs.service_file(stanza.server()) as env:
        arguments = [tool, "-D", str(target), "-c", "fast", "-X", "stream", *how]
        return peak_of(arguments, {**os.environ, **env})


def _compared(found: dict[str, Times], ours: str) -> None:
    for name, times in found.items():
        ratio = times.median / found[ours].median
        print(f"  {name:<30} {times}   {ratio:4.2f} x   peak {times.peak_mb:,.0f} MB")


def _percent(backup: object) -> str:
    return f"{100 * backup.bytes_stored / backup.bytes_source:.0f} %"  # type: ignore[attr-defined]


def _hl7ops(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "flows", *arguments]


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def _environment(stanza: Stanza) -> dict[str, str]:
    return {**os.environ, "HL7OPS_HOME": str(stanza.home.path)}
