"""Fifty backups under four writers: each is restored, and none may differ from its seal."""

import re
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from benchmarks.place import place
from tasks.backup import cleanup, take
from tasks.control import clock
from tasks.hl7 import ingest
from tasks.hl7.generator import populate
from tasks.hl7.platform import installation
from tasks.postgres import programs
from tasks.recovery.proving import verify
from tasks.repository.stanza import Stanza


RUNS = 50

WRITERS = 4

WRITTEN = (
    "create table written (id bigint generated always as identity primary key,"
    " amount bigint, at timestamptz default clock_timestamp())"
)
"""What they write."""

WARM_UP_S = 1.5
"""So that they write when the backup begins."""

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
        installation.install(server)
        populate.populate(server, ingest.load_generated, 2000, seed=1, end=clock.now(), days=10)
        with server.connect() as connection:
            connection.execute(WRITTEN)
        for number in range(1, RUNS + 1):
            with writing(stanza) as report:
                made = take.take(stanza)
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
    server = stanza.server()
    with (
        tempfile.NamedTemporaryFile("w", suffix=".sql") as script,
        programs.service_file(server) as env,
    ):
        Path(script.name).write_text(WRITE)
        arguments = ["-n", "-c", str(WRITERS), "-T", "3600", "-P", "1", "-f", script.name]
        arguments.append(server.parameters()["dbname"])
        with subprocess.Popen(
            [str(stanza.programs / "pgbench"), *arguments],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as clients:
            try:
                time.sleep(WARM_UP_S)
                yield report
            finally:
                clients.terminate()
                report += clients.communicate()[1].splitlines()


def rate(report: list[str]) -> float:
    """Return the median of the transactions a second that pgbench reported; a script has two.

    Raises:
        RuntimeError: it wrote nothing, so that the backup was no trial.

    """
    found = [float(match[1]) for line in report if (match := re.search(r"([\d.]+) tps", line))]
    if not found:
        raise RuntimeError(f"nobody wrote: {' | '.join(report)}")
    return 2 * statistics.median(found)
