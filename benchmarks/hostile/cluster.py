"""A cluster with some features, started and filled, and what goes on in it."""

import itertools
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import conninfo

from benchmarks.hostile.drawing import Drawn, programs_of
from benchmarks.hostile.features import Feature
from tasks.control import settings
from tasks.postgres import programs
from tasks.postgres.cluster import Cluster, socket_directory
from tasks.postgres.embedded import open_home
from tasks.postgres.owner import service_owner
from tasks.repository.stanza import Stanza, open_stanza


DATABASE = "hostile"

PORT = 5490

PAUSE_S = 0.04
"""Between two statements of what goes on, so that about a thousand a minute come through."""

DISABLING = 17
"""The version since which event triggers can be switched off."""

CHECKSUMS = 18
"""The version since which a cluster has checksums unless it is told otherwise."""

ELSEWHERE = re.compile(r"^\\c .*$", re.MULTILINE)
"""A line of a script that goes on in another database."""

PLAIN = {
    "default_transaction_read_only": "off",
    "quote_all_identifiers": "off",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_session_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    "backslash_quote": "on",
    "array_nulls": "on",
    "row_security": "on",
    "role": "none",
    "client_min_messages": "error",
}
"""What our own sessions run with, whatever a cluster, a database or a role says."""


@dataclass
class Place:
    """Where one cluster lives: its folder, the stanza that operates it, and what hindered it."""

    drawn: Drawn
    folder: Path
    cluster: Cluster
    stanza: Stanza
    superuser: str
    unmade: list[str] = field(default_factory=list)
    longest_s: float = 0.0
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def variables(self) -> dict[str, str]:
        """The folders that scripts ask for."""
        names = (name for each in self.drawn.features for name in each.of("folder"))
        return {name: str(self.folder / name) for name in names}

    def address(self, database: str) -> str:
        """Return how a database is reached, whatever its settings are."""
        return address(self.cluster, database, self.superuser, self.drawn.major)

    def fill(self) -> None:
        """Run the scripts; what cannot be made is noted, since versions and builds differ."""
        tools = self.cluster.programs
        psql(tools, self.address("postgres"), f"create database {DATABASE};", {})
        for each in self.drawn.features:
            prelude = f'create schema "{each.name}"; set search_path = "{each.name}", public;\n'
            reached = self.address(DATABASE)
            script = ELSEWHERE.sub(r"\g<0>\nset search_path = public;", each.script)
            said = psql(tools, reached, prelude + script, self.variables)
            self.unmade += [f"{each.name}: {line}" for line in said]
        later = [value for each in self.drawn.features for value in each.of("later")]
        if later:
            with (self.cluster.data / "postgresql.auto.conf").open("a") as file:
                file.writelines(f"{line}\n" for line in later)
            with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
                connection.execute("select pg_reload_conf()")

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Let sessions stay open, and what goes on go on, while the block runs."""
        ended = threading.Event()
        workers = [
            threading.Thread(target=self._go_on, args=(each, ended))
            for each in self.drawn.features
            if each.busy
        ]
        with ExitStack() as held:
            for each in self.drawn.features:
                if each.session:
                    session = psycopg.connect(self.address(DATABASE), autocommit=True)
                    held.callback(session.close)  # which rolls back
                    for line in each.session:
                        session.execute(line.encode())
            for worker in workers:
                worker.start()
            try:
                yield
            finally:
                ended.set()
                for worker in workers:
                    worker.join()

    def _go_on(self, feature: Feature, ended: threading.Event) -> None:
        with psycopg.connect(self.address(DATABASE), autocommit=True) as connection:
            while not ended.wait(PAUSE_S):
                number = str(next(self.numbers))
                for line in feature.busy:
                    began = time.monotonic()
                    try:
                        connection.execute(line.replace(":n", number).encode())
                    except psycopg.Error as error:
                        said = str(error).partition("\n")[0]
                        self.unmade.append(f"{feature.name}, a user's statement: {said}")
                        connection.rollback()
                    self.longest_s = max(self.longest_s, time.monotonic() - began)


@contextmanager
def place(drawn: Drawn, folder: Path, prepared: Path | None = None) -> Iterator[Place]:
    """Make a drawn cluster in a folder, fill it, and stop it in the end.

    Args:
        drawn: what it is to be.
        folder: where it lives, and what belongs to it.
        prepared: a data directory that it begins with, and which is not filled then.

    """
    tools, owner = programs_of(drawn.major), service_owner()
    chosen = {"hl7ops_home": folder / "home"} | ({"hl7ops_programs": tools} if tools else {})
    tools = tools or open_home(settings.load(**chosen)).programs
    cluster = Cluster(folder / "source", socket_directory(folder, PORT), PORT, tools)
    superuser = next((n for each in drawn.features for n in each.of("superuser")), "postgres")
    for name in (n for each in drawn.features for n in each.of("folder")):
        (folder / name).mkdir()
        owner.take(folder / name)
    if prepared:
        shutil.copytree(prepared, cluster.data, symlinks=True)
        for path in (cluster.data, *cluster.data.rglob("*")):
            owner.take(path)
    else:
        _init(cluster, drawn, superuser, folder)
    reached = cluster.server("main", DATABASE, superuser).address
    stanza = open_stanza(settings.load(**chosen, database_url=reached, snapshot_compression=1))
    made = Place(drawn, folder, cluster, stanza, superuser)
    try:
        cluster.start()
        if not prepared:
            made.fill()
        yield made
    finally:
        cluster.stop("immediate")


def address(cluster: Cluster, database: str, superuser: str, major: int) -> str:
    """Return how a database of a cluster is reached, with no trigger that hinders it."""
    return plainly(cluster.server("main", database, superuser).address, major)


def plainly(reached: str, major: int, **more: str) -> str:
    """Return an address whose sessions run with settings of ours, and with other parts of it."""
    triggers = {"event_triggers": "off"} if major >= DISABLING else {}
    options = " ".join(f"-c {name}={value}" for name, value in (PLAIN | triggers).items())
    return conninfo.make_conninfo(reached, options=options, **more)


def _init(cluster: Cluster, drawn: Drawn, superuser: str, folder: Path) -> None:
    owner = service_owner()
    cluster.data.mkdir(mode=0o700)
    owner.take(cluster.data)
    fixed = ["-D", cluster.data, "-U", superuser, "-A", "trust", "-N", "-k"]
    given = [value for each in drawn.features for value in each.of("initdb")]
    if not any(value.startswith("--locale") for value in given):
        fixed += ["-E", "UTF8", "--locale=C.UTF-8"]
    if "--no-data-checksums" in given:
        fixed.remove("-k")
        given = [x for x in given if drawn.major >= CHECKSUMS or x != "--no-data-checksums"]
    programs.run(cluster.programs, "initdb", [*fixed, *given], timeout_s=120, owner=owner)
    where = {name: str(folder / name) for each in drawn.features for name in each.of("folder")}
    lines = [value for each in drawn.features for value in each.of("setting")]
    usual = ["wal_level = replica", "autovacuum = off", "fsync = off"]
    usual += ["summarize_wal = on"] if drawn.major >= DISABLING else []
    with (cluster.data / "postgresql.auto.conf").open("a") as file:
        file.writelines(f"{line % where if where else line}\n" for line in [*usual, *lines])


def psql(
    tools: Path,
    reached: str,
    script: str,
    variables: dict[str, str],
    *,
    stops: bool = True,
    cwd: Path | None = None,
) -> list[str]:
    """Run a script, to its first error or to its end, and return that first error."""
    given = [f"--set={name}={value}" for name, value in variables.items()]
    stop = f"ON_ERROR_STOP={int(stops)}"
    done = subprocess.run(
        [tools / "psql", "-X", "-q", "-o", "/dev/null", "-v", stop, *given, reached],
        input=script,
        capture_output=True,
        text=True,
        errors="replace",
        env={"PATH": os.defpath, "PGCLIENTENCODING": "UTF8"},
        cwd=cwd,
        check=False,
        timeout=600,
    )
    return [line for line in done.stderr.splitlines() if "ERROR" in line or "error" in line][:1]


def remove(folder: Path) -> None:
    """Remove a folder whose servers are stopped."""
    shutil.rmtree(folder, ignore_errors=True)
