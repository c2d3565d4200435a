"""Random histories of a cluster: whatever happens between backups, and in the middle of one.

A hundred of them by themselves; each ends with a chain of seven links, a differential backup and a
snapshot, every one of which must be proven, in a directory and in S3, plain and encrypted.
"""

import os
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pyrage

from benchmarks.place import place
from tasks.backup import cleanup, take
from tasks.control import clock
from tasks.control.errors import OpsError
from tasks.recovery.proving import verify
from tasks.repository.model import Backup, BackupType
from tasks.repository.s3.server import serving
from tasks.repository.stanza import Stanza


HISTORIES = int(os.environ.pop("HL7OPS_BENCH_HISTORIES", "100"))

LINKS: tuple[BackupType, ...] = ("full", *["incremental"] * 6, "differential", "snapshot")

STEPS = 6
"""Statements between two backups."""

TABLES = ("alpha", "beta", "gamma")


@dataclass
class History:
    """One cluster and what happens to it, as a seed determines."""

    stanza: Stanza
    chance: random.Random
    databases: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Make tablespaces and tables to work on; what an earlier history left stays."""
        for name in ("near", "far"):
            folder = self.stanza.home.path / name
            folder.mkdir(exist_ok=True)
            self.stanza.home.owner.take(folder)
            self._run(f"create tablespace {name} location '{folder}'", may_fail=True)
        for name in TABLES:
            self._create(name)
        self._run("create sequence if not exists counting")

    def go_on(self, steps: int = STEPS) -> None:
        """Let some things happen."""
        for _ in range(steps):
            self.chance.choice(self._deeds)()

    @contextmanager
    def in_the_middle(self) -> Iterator[Callable[[str, int, int], None]]:
        """Yield progress of a backup, beside whose copying or dumping something happens."""
        deed = Thread(
            target=self.chance.choice((self._drop_database, self._recreate, self._insert))
        )

        def tell(phase: str, _done: int, _all: int) -> None:
            if phase == "copy" and deed.ident is None:
                deed.start()

        yield tell
        if deed.ident is not None:
            deed.join()

    @property
    def _deeds(self) -> tuple[Callable[[], None], ...]:
        return (
            self._insert,
            self._insert,
            self._update,
            self._delete,
            self._recreate,
            self._truncate,
            self._rewrite,
            self._move,
            self._large_object,
            self._count,
            self._unlogged,
            self._make_database,
            self._drop_database,
            self._alter,
            self._index,
        )

    def _create(self, name: str) -> None:
        kind = self.chance.choice(("int", "bigint", "numeric"))
        self._run(f"drop table if exists {name}")
        self._run(f"create table {name} (n {kind}, pad text, at timestamptz default now())")
        self._run(
            f"insert into {name} select g, repeat('x', g % 90) from generate_series(1, 500) g"
        )

    def _insert(self) -> None:
        count = self.chance.randrange(1, 3000)
        pad = f"repeat(md5(g::text), {self.chance.randrange(1, 60)})"
        self._run(f"insert into {self._table} select g, {pad} from generate_series(1, {count}) g")

    def _update(self) -> None:
        self._run(f"update {self._table} set pad = pad || 'u' where n::int % 7 = {self._digit % 7}")

    def _delete(self) -> None:
        self._run(f"delete from {self._table} where n::int % 5 = {self._digit % 5}")
        self._run(f"vacuum {self._table}")

    def _recreate(self) -> None:
        self._create(self._table)

    def _truncate(self) -> None:
        self._run(f"truncate {self._table}")

    def _rewrite(self) -> None:
        self._run(f"vacuum full {self._table}")

    def _move(self) -> None:
        space = self.chance.choice(("near", "far", "pg_default"))
        self._run(f"alter table {self._table} set tablespace {space}")

    def _large_object(self) -> None:
        number = 1000 + self._digit
        self._run(f"select lo_create({number})", may_fail=True)
        data = f"decode(repeat('{self._digit:02x}', {self.chance.randrange(1, 9000)}), 'hex')"
        self._run(f"select lo_put({number}, {self.chance.randrange(5000)}, {data})")
        if self._digit == 0:
            self._run(f"select lo_unlink({number})")

    def _count(self) -> None:
        self._run(f"select nextval('counting') from generate_series(1, {1 + self._digit})")
        if self._digit == 0:
            self._run("select setval('counting', 1000)")

    def _unlogged(self) -> None:
        self._run("create unlogged table if not exists passing (n int)")
        self._run("insert into passing select generate_series(1, 100)")

    def _make_database(self) -> None:
        name = f"base{self.chance.randrange(10**9)}"
        self._run(f"create database {name}")
        self.databases.append(name)
        with self.stanza.server().database(name).connect() as connection:
            connection.execute("create table inside as select generate_series(1, 50) as n")

    def _drop_database(self) -> None:
        if self.databases:
            gone = self.databases.pop(self.chance.randrange(len(self.databases)))
            self._run(f"drop database {gone} with (force)")

    def _alter(self) -> None:
        column = f"c{self._digit}"
        self._run(f"alter table {self._table} add column if not exists {column} int default 7")
        if self._digit % 2:
            self._run(f"alter table {self._table} drop column if exists {column}")

    def _index(self) -> None:
        table = self._table
        self._run(f"create index if not exists by_{table} on {table} (n, at)")
        self._run(f"reindex table {table}")

    @property
    def _table(self) -> str:
        return self.chance.choice(TABLES)

    @property
    def _digit(self) -> int:
        return self.chance.randrange(10)

    def _run(self, statement: str, *, may_fail: bool = False) -> None:
        self.told.append(statement)
        passing = suppress(OpsError) if may_fail else nullcontext()
        with passing, self.stanza.server().connect() as connection:
            connection.execute("set client_min_messages = error")
            connection.execute(statement.encode())


def live(stanza: Stanza, seed: int) -> list[tuple[Backup, str, str]]:
    """Live through one history; return each backup that counts with its verdict and what failed."""
    history = History(stanza, random.Random(seed))  # noqa: S311 - a seed is the point
    history.begin()
    made = []
    for kind in LINKS:
        with history.in_the_middle() as tell:
            made.append(take.take(stanza, kind, progress=tell))
        history.go_on()
    found = []
    for backup in made[-3:]:
        proof = verify.verify(stanza, backup.id)
        failed = "; ".join(f"{check.name}: {check.seen}" for check in proof.failed)
        found.append((backup, proof.verdict, failed))
    for name in list(history.databases):
        with stanza.server().connect() as connection:
            connection.execute(f"drop database {name} with (force)".encode())
    return found


def live_all(name: str, chosen: dict[str, Any], seeds: Sequence[int]) -> Counter[str]:
    """Live through some histories, one after the other, and count the verdicts."""
    verdicts: Counter[str] = Counter()
    with place(retention_minimum=1, snapshot_compression=1, **chosen) as stanza:
        for seed in seeds:
            for backup, verdict, failed in live(stanza, seed):
                verdicts[f"{name}, {backup.type}: {verdict}"] += 1
                if verdict != "proven":
                    print(f"  history {seed}, {name}: {backup.id} {verdict}: {failed}")
            cleanup.cleanup(stanza, now=clock.now() + timedelta(days=90))
    return verdicts


def main() -> None:
    """Live through all of them, two at a time, and count the verdicts."""
    identity = pyrage.x25519.Identity.generate()
    keys = {"age_recipients": [str(identity.to_public())], "age_identity": str(identity)}
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), "backups") as server:
        ways: dict[str, dict[str, Any]] = {
            "directory": {},
            "directory, encrypted": keys,
            "S3": server.settings | {"s3_prefix": "plain"},
            "S3, encrypted": server.settings | {"s3_prefix": "closed"} | keys,
        }
        with ThreadPoolExecutor(2) as pool:
            lives = [
                pool.submit(live_all, name, chosen, range(number, HISTORIES, len(ways)))
                for number, (name, chosen) in enumerate(ways.items())
            ]
            verdicts = sum((each.result() for each in lives), Counter())
    for said, count in sorted(verdicts.items()):
        print(f"  {count:>4}  {said}")
