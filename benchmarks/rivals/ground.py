"""The ground of a contest: a cluster that is ours to break, and a directory beside it."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.control import settings
from tasks.postgres.cluster import Cluster
from tasks.postgres.embedded import PRIMARY_SETTINGS, open_home
from tasks.postgres.owner import Owner, service_owner
from tasks.postgres.server import Server


PORT = 5432

DATABASE = "hl7"

ARCHIVE_S = 60

TIMEOUT_S = 900


@dataclass(frozen=True)
class Answer:
    """What a program ended with, and all that it said."""

    code: int
    text: str


@dataclass(frozen=True)
class Ground:
    """A running cluster, the directory that it lies in, and the user that all of it belongs to."""

    path: Path
    cluster: Cluster
    owner: Owner

    def server(self, database: str = DATABASE) -> Server:
        """Return the server's address."""
        return self.cluster.server("main", database)

    def execute(self, *statements: str) -> None:
        """Execute statements, one transaction each."""
        with self.server().connect() as connection:
            for statement in statements:
                connection.execute(statement)

    def value(self, query: str) -> str:
        """Return the first value of a query, as text."""
        with self.server().connect() as connection:
            row = connection.execute(query).fetchone()
        return str(row[0]) if row else ""

    def folder(self, name: str) -> Path:
        """Make a directory that belongs to the user."""
        path = self.path / name
        path.mkdir(parents=True, exist_ok=True)
        self.owner.take(path)
        return path

    def file(self, name: str, text: str) -> Path:
        """Write a file that only the user reads."""
        path = self.path / name
        path.touch(mode=0o600)
        path.write_text(text)
        self.owner.take(path)
        return path

    def run(self, command: Sequence[str], *, as_ourselves: bool = False) -> Answer:
        """Run a program, as the user unless it is told, and return what it ended with and said."""
        done = subprocess.run(
            command,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
            **({} if as_ourselves else self.owner.spawn()),
        )
        return Answer(done.returncode, done.stdout)

    def must(self, command: Sequence[str], *, as_ourselves: bool = False) -> str:
        """Run a program as `run` does, and return what it said.

        Raises:
            RuntimeError: it failed.

        """
        answer = self.run(command, as_ourselves=as_ourselves)
        if answer.code:
            raise RuntimeError(f"{' '.join(command)}: exit {answer.code}: {answer.text[-800:]}")
        return answer.text

    def archive_by(self, command: str) -> None:
        """Let the server archive its WAL by a command from now on."""
        self.execute(f"alter system set archive_command = '{command}'", "select pg_reload_conf()")

    def await_archived(self) -> None:
        """Switch WAL and wait until the server has archived all before.

        Raises:
            RuntimeError: it did not.

        """
        self.execute("select pg_create_restore_point('settled')")  # or there is nothing to switch
        last = self.value("select pg_walfile_name(pg_switch_wal())")
        deadline = time.monotonic() + ARCHIVE_S
        while time.monotonic() < deadline:
            done = self.value("select coalesce(last_archived_wal, '') from pg_stat_archiver")
            if done[:24] >= last and not done.endswith(".history"):
                return
            time.sleep(0.1)
        raise RuntimeError(f"{last} was not archived in {ARCHIVE_S} s")

    def promote(self) -> None:
        """Let the cluster begin a new timeline, as after a failover."""
        self.cluster.stop()
        signal = self.cluster.data / "standby.signal"
        signal.touch()
        self.owner.take(signal)
        self.cluster.start()
        self.execute("select pg_promote()", "checkpoint")


@contextmanager
def ground(programs: Path | None = None) -> Iterator[Ground]:
    """Yield a new running cluster, and take it away with all that lies beside it.

    Args:
        programs: of which PostgreSQL; None: the embedded one.

    """
    path = Path(tempfile.mkdtemp(prefix="hl7ops-bench-"))
    path.chmod(0o755)
    owner = service_owner()
    owner.take(path)
    programs = programs or open_home(settings.load(hl7ops_home=path / "home")).programs
    cluster = Cluster(path / "primary", path / "run", PORT, programs)
    try:
        cluster.create(owner, _settings(cluster))
        cluster.start()
        with cluster.server("main").connect() as connection:
            connection.execute(f"create database {DATABASE}")
        yield Ground(path, cluster, owner)
    finally:
        cluster.stop("immediate")
        shutil.rmtree(path)


def _settings(cluster: Cluster) -> dict[str, str]:
    """Return the settings of the embedded cluster, as far as the version knows them, archiving."""
    said = subprocess.run(
        [cluster.programs / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    known = dict(PRIMARY_SETTINGS)
    if int(said.split()[2].split(".")[0]) < 17:  # noqa: PLR2004 - which brought the summaries
        del known["summarize_wal"]
    return known | {"archive_mode": "on", "archive_command": "/bin/true"}
