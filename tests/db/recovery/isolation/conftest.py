"""Sources of two versions, and files outside of their copies that nobody may touch."""

import shutil
import socket
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tasks.control import settings
from tasks.postgres import programs
from tasks.postgres.cluster import Cluster, socket_directory
from tasks.postgres.owner import service_owner
from tasks.repository.stanza import open_stanza


DEBIAN = Path("/usr/lib/postgresql/15/bin")

VERSIONS = {"15": DEBIAN, "18": None}


class Outside:
    """A directory of files that the server's user could change, and a socket that counts calls."""

    def __init__(self, path):
        """Make it, with nothing in it."""
        self.path = path
        path.mkdir()
        service_owner().take(path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path / ".s.PGSQL.5432"))
        self.listener.listen()
        self.listener.settimeout(0)

    def file(self, name):
        """Make a file that somebody relies on."""
        path = self.path / name
        path.write_text("keep me")
        service_owner().take(path)
        return path

    @property
    def state(self):
        """What there is, with all that a program could change of it."""
        return {
            str(each.relative_to(self.path)): (
                each.stat().st_mtime_ns,
                each.stat().st_mode,
                each.stat().st_uid,
                each.read_bytes() if each.is_file() else None,
            )
            for each in [self.path, *self.path.rglob("*")]
        }

    @property
    def was_called(self):
        """Whether somebody connected to the socket."""
        try:
            self.listener.accept()
        except BlockingIOError:
            return False
        return True


@dataclass
class Source:
    """A cluster with a table, what is outside of it, and the stanza that backs it up."""

    path: Path
    cluster: Cluster
    outside: Outside
    chosen: Path | None
    copies: list = field(default_factory=list)

    @property
    def server(self):
        """Return the database that holds the table, as the role that made the cluster."""
        return self.cluster.server("main", "app")

    @property
    def stanza(self):
        """The stanza; backups are taken by a role of their own, as is usual."""
        address = self.cluster.server("main", "app", "keeper").address
        known = {"hl7ops_home": self.path / "home", "database_url": address}
        return open_stanza(settings.load(**known, hl7ops_programs=self.chosen))

    def run(self, *statements, database="app"):
        """Run statements, one after the other."""
        with self.cluster.server("main", database).connect() as connection:
            for statement in statements:
                connection.execute(statement)

    def value(self, query):
        """Return one value."""
        with self.server.connect() as connection:
            return connection.execute(query).fetchone()[0]


@pytest.fixture
def make_source():
    """Return what makes a source of a version; all that runs in its folder is stopped."""
    made = []

    def make(version, *initdb):
        path = Path(tempfile.mkdtemp(prefix="hl7ops-isolation-"))
        path.chmod(0o755)
        tools = VERSIONS[version] or programs.embedded()
        assert (tools / "postgres").exists(), f"PostgreSQL {version} is missing"
        cluster = Cluster(path / "source", socket_directory(path, 5441), 5441, tools)
        if initdb:
            cluster.data.mkdir()
            service_owner().take(cluster.data)
            how = ["-D", cluster.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", *initdb]
            programs.run(tools, "initdb", how, timeout_s=60, owner=service_owner())
        else:
            cluster.create(service_owner(), {})
        with (cluster.data / "postgresql.conf").open("a") as file:
            extra = "summarize_wal = on\n" if version == "18" else ""
            file.write(f"wal_level = replica\nfsync = off\n{extra}")
        source = Source(path, cluster, Outside(path / "outside"), VERSIONS[version])
        made.append(source)
        cluster.start()
        source.run(
            "create role keeper superuser login",
            "create role nobody_much",
            "create database app",
            database="postgres",
        )
        source.run(
            "create table counted (n int primary key, t text)",
            "insert into counted select n, 'row ' || n from generate_series(1, 500) n",
        )
        return source

    yield make
    for source in made:
        for cluster in [source.cluster, *source.copies]:
            cluster.stop("immediate")
        source.outside.listener.close()
        shutil.rmtree(source.path)
