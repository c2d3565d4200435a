"""Fifty backups under four writers: each is restored, and none may differ from its seal."""

import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from benchmarks.place import place
from tasks.backup import cleanup, take
from tasks.control import clock
from tasks.hl7 import ingest, platform, populate
from tasks.postgres import programs
from tasks.recovery import verify
from tasks.repository.stanza import Stanza


RUNS = 50

WRITERS = 4

WRITE = r"""
\set row random(1, 20000)
insert into written (amount) values (:row);
update written set amount = amount + 1 where id = :row;
"""
"""A transaction of pgbench's simple protocol each: an insert, then an update of another row."""


def main() -> None:
    """Count the verdicts, and the transactions that went through meanwhile."""
    verdicts: Counter[str] = Counter()
    with place(retention_minimum=1) as stanza:
        server = stanza.server()
        platform.install(server)
        populate.populate(server, ingest.load_generated, 2000, seed=1, end=clock.now(), days=10)
        with server.connect() as connection:
            connection.execute(
                "create table written (id bigint generated always as identity primary key,"
                " amount bigint, at timestamptz default clock_timestamp())"
            )
        for number in range(1, RUNS + 1):
            with writing(stanza) as report:
                made = take.full(stanza)
            proof = verify.verify(stanza, made.id)
            verdicts[proof.verdict] += 1
            seal = made.seal
            said = f"{seal.mode} after {seal.attempts}: {proof.verdict}; {rate(report):,.0f} tps"
            print(f"  {number:>2}: {said}", *(check.name for check in proof.failed))
            cleanup.cleanup(stanza, now=clock.now() + timedelta(days=90))
    print(f"  {dict(verdicts)} of {RUNS}, {WRITERS} writers")


@contextmanager
def writing(stanza: Stanza) -> Iterator[list[str]]:
    """Let clients write while the block runs; what they report stands in the list afterwards."""
    report: list[str] = []
    with (
        tempfile.NamedTemporaryFile("w", suffix=".sql") as script,
        programs.service_file(stanza.server()) as env,
    ):
        Path(script.name).write_text(WRITE)
        arguments = ["-n", "-c", str(WRITERS), "-T", "3600", "-f", script.name]
        with subprocess.Popen(
            [str(stanza.programs / "pgbench"), *arguments, "-P", "1"],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as clients:
            try:
                yield report
            finally:
                clients.terminate()
                report += clients.communicate()[1].splitlines()


def rate(report: list[str]) -> float:
    """Return the median of the transactions a second that pgbench reported; a script has two."""
    found = sorted(
        float(match[1]) for line in report if (match := re.search(r"([\d.]+) tps", line))
    )
    return 2 * found[len(found) // 2] if found else 0.0
