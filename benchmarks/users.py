"""Users beside a seal: 64 clients and 8,000 tables; what failed, and how long a statement took.

Run as a program, `python -m benchmarks.users ADDRESS CLIENTS`, it is the clients alone, in a
process of their own, so that nothing of ours keeps them waiting but the server.
"""

import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tasks.postgres.server import Server
from tasks.repository.stanza import Stanza


CLIENTS = 64

TABLES = 8000

PAUSE_S = 0.1
"""Between two transactions of a client."""

CALM_S = 20.0

LONGEST_MS = 150
"""So long a statement may take longer beside a seal than without one."""

SCARCE = {"max_connections": "90", "max_locks_per_transaction": "10"}
"""Few locks: what the lock table holds is a tenth of the tables."""

AMPLE = {"max_connections": "200", "max_locks_per_transaction": "128"}

MIX: dict[str, tuple[int, tuple[str, ...]]] = {
    "insert": (40, ("insert into many{table} values ({number})",)),
    "update": (40, ("update many{table} set n = n + 1",)),
    "truncate": (5, ("truncate own{client}", "insert into own{client} values ({number})")),
    "create and drop": (
        5,
        (
            "create table work_{client}_{number} (n int primary key)",
            "drop table work_{client}_{number}",
        ),
    ),
    "add column": (
        5,
        ("alter table own{client} add c{number} int", "alter table own{client} drop c{number}"),
    ),
    "many tables": (5, ("{many}",)),
}
"""What a client does, how often of a hundred, statement by statement."""


@dataclass
class Report:
    """How long the slowest statement of each kind took, and what failed."""

    longest_ms: dict[str, float] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)
    done: int = 0

    def add(self, kind: str, seconds: float) -> None:
        """Count a statement."""
        self.longest_ms[kind] = max(self.longest_ms.get(kind, 0.0), 1000 * seconds)
        self.done += 1


def fill(stanza: Stanza, settings: dict[str, str]) -> None:
    """Make the tables, and set what the server is to run with; it is started anew."""
    server = stanza.server()
    with server.connect() as connection:
        for name, value in (settings | {"log_statement": "none"}).items():
            connection.execute(f"alter system set {name} = '{value}'".encode())
        for first in range(0, TABLES, 200):
            made = (
                f"create table if not exists many{number} (n int)"
                for number in range(first, first + 200)
            )
            connection.execute("; ".join(made).encode())
        for number in range(CLIENTS):
            connection.execute(f"create table if not exists own{number} (n int)".encode())
    stanza.home.primary.stop()
    stanza.server()


@contextmanager
def busy(server: Server, seconds: float | None = None) -> Iterator[Report]:
    """Let clients work while the block runs, or for some seconds; the report is filled after it."""
    report = Report()
    command = [sys.executable, "-m", "benchmarks.users", server.address, str(CLIENTS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        time.sleep(3)  # until all of them are connected
        try:
            if seconds:
                time.sleep(seconds)
            yield report
        finally:
            out, _ = process.communicate(b"end")
    found = json.loads(out)
    report.longest_ms, report.done = found["longest_ms"], found["done"]
    report.failed = Counter(found["failed"])


def measure(stanza: Stanza, title: str, settings: dict[str, str], seal: Callable[[], Any]) -> None:
    """Say what clients notice of seals, which are taken one after the other beside them."""
    fill(stanza, settings)
    with busy(stanza.server(), CALM_S) as calm:
        pass
    with busy(stanza.server()) as beside:
        seals, began = [], time.monotonic()
        while time.monotonic() - began < CALM_S:
            try:
                seals.append(getattr(seal(), "mode", "?"))
            except Exception as error:  # noqa: BLE001 - it is what came out
                seals.append(f"{type(error).__name__}: {error}"[:120])
    print(f"  {title}: {CLIENTS} clients, {TABLES} tables, seals: {dict(Counter(seals))}")
    for kind in MIX:
        alone, with_it = calm.longest_ms.get(kind, 0), beside.longest_ms.get(kind, 0)
        mark = "  above the bound" if with_it > alone + LONGEST_MS else ""
        print(f"    {kind}: {alone:,.0f} ms at most alone, {with_it:,.0f} ms beside seals{mark}")
    print(f"    {calm.done:,} and {beside.done:,} statements")
    print(f"    failed alone: {dict(calm.failed)}, beside seals: {dict(beside.failed)}")


def _client(number: int, address: str, ended: threading.Event, report: Report) -> None:
    chance = random.Random(number)  # noqa: S311 - a seed is the point
    kinds, weights = list(MIX), [weight for weight, _ in MIX.values()]
    with psycopg.connect(address, autocommit=True) as connection:
        while not ended.wait(chance.random() * 2 * PAUSE_S):
            kind = chance.choices(kinds, weights)[0]
            words: dict[str, object] = {"client": number, "number": report.done, "table": 0}
            words["table"] = chance.randrange(TABLES)
            some = (f"select * from many{chance.randrange(TABLES)}" for _ in range(20))
            words["many"] = f"begin; {'; '.join(some)}; commit"
            for form in MIX[kind][1]:
                began = time.monotonic()
                try:
                    connection.execute(form.format(**words).encode())
                except psycopg.Error as error:
                    report.failed[f"{kind}: {str(error).partition(chr(10))[0]}"] += 1
                    connection.execute(b"rollback")
                report.add(kind, time.monotonic() - began)


def main(address: str, clients: str) -> None:
    """Let so many clients work until something is said to us, and print the report."""
    ended, report = threading.Event(), Report()
    workers = [
        threading.Thread(target=_client, args=(number, address, ended, report))
        for number in range(int(clients))
    ]
    for worker in workers:
        worker.start()
    sys.stdin.read()
    ended.set()
    for worker in workers:
        worker.join()
    print(json.dumps(vars(report)))


if __name__ == "__main__":
    main(*sys.argv[1:])
