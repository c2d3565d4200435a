"""A primary with standbys: promoted, left behind, copied; and stanzas that lead to one of them."""

import itertools
import shutil
import tempfile
import time
from pathlib import Path

from tasks.control import settings
from tasks.postgres import lsn, programs
from tasks.postgres.cluster import Cluster
from tasks.repository.stanza import open_stanza


class House:
    """A home with a primary and whatever was made of it."""

    def __init__(self):
        """Start a primary with a small table."""
        self.path = Path(tempfile.mkdtemp(prefix="hl7ops-wal-"))
        self.path.chmod(0o755)
        self.stanza = open_stanza(settings.load(hl7ops_home=self.path))
        self.home = self.stanza.home
        self.stanza.server()
        self.primary = self.home.primary
        self.clusters = [self.primary]
        self._ports = itertools.count(5500)
        self.run(self.primary, "create table counted (n int)")

    def server(self, cluster):
        """Return the platform's database of a cluster."""
        return cluster.server("main", "hl7")

    def run(self, cluster, *statements):
        """Run statements, one after the other."""
        with self.server(cluster).connect() as connection:
            for statement in statements:
                connection.execute(statement)

    def value(self, cluster, query):
        """Return one value."""
        with self.server(cluster).connect() as connection:
            return connection.execute(query).fetchone()[0]

    def write(self, cluster, segments=1):
        """Write so many segments of WAL, with a row in each."""
        for _ in range(segments):
            self.run(cluster, "insert into counted values (1)", "select pg_switch_wal()")

    def place(self, name):
        """Return a cluster that is not there yet."""
        made = Cluster(
            self.path / name, self.primary.sockets, next(self._ports), self.home.programs
        )
        self.clusters.append(made)
        return made

    def standby(self, name, of=None, wal_keep_size="1GB"):
        """Make a standby of a cluster, which keeps WAL after a promotion, and start it."""
        made = self.place(name)
        made.data.mkdir(mode=0o700)
        self.home.owner.take(made.data)
        address = (of or self.primary).server("main").address
        programs.run(
            self.home.programs,
            "pg_basebackup",
            ["-d", address, "-D", made.data, "-R", "-c", "fast", "-X", "stream"],
            timeout_s=60,
            owner=self.home.owner,
        )
        self.configure(made, wal_keep_size=wal_keep_size)
        made.start()
        return made

    def configure(self, cluster, **settings):
        """Set something of a cluster that does not run."""
        with (cluster.data / "postgresql.auto.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def copy(self, name, of):
        """Copy a cluster that is stopped, file by file."""
        made = self.place(name)
        shutil.copytree(of.data, made.data)
        for path in (made.data, *made.data.rglob("*")):
            self.home.owner.take(path)
        return made

    def sync(self, primary, standby):
        """Wait until a standby has replayed all that its primary has written."""
        written = lsn.parse(self.value(primary, "select pg_current_wal_lsn()::text"))
        deadline = time.monotonic() + 30
        query = "select coalesce(pg_last_wal_replay_lsn()::text, '0/0')"
        while lsn.parse(self.value(standby, query)) < written:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def promote(self, standby):
        """Promote a standby."""
        self.run(standby, "select pg_promote(true, 60)")

    def fail_over(self, standby, primary=None):
        """Let a standby, which has all, take over from its primary, which is gone."""
        primary = primary or self.primary
        self.sync(primary, standby)
        primary.stop("immediate")
        self.promote(standby)
        return standby

    def at(self, *clusters, **more):
        """Return the stanza that leads to whichever of some clusters can be written."""
        hosts = ",".join(str(each.sockets) for each in clusters)
        ports = ",".join(str(each.port) for each in clusters)
        address = (
            f"host={hosts} port={ports} user=postgres dbname=hl7 target_session_attrs=read-write"
        )
        return open_stanza(settings.load(hl7ops_home=self.path, database_url=address, **more))

    def close(self):
        """Stop all clusters and remove everything."""
        for cluster in self.clusters:
            cluster.stop("immediate")
        shutil.rmtree(self.path)
