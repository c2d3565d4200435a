"""Where the tools restore to, in turn, and the server that answers there."""

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rivals.ground import DATABASE, Ground
from tasks.postgres.cluster import Cluster, socket_directory
from tasks.postgres.server import Server


PORT = 5444

PAUSE_S = 0.01

START_S = 1800


@dataclass(frozen=True)
class Landing:
    """A directory beside the operated cluster for one copy of it."""

    ground: Ground

    @property
    def path(self) -> Path:
        """The data directory."""
        return self.ground.path / "copy"

    @property
    def cluster(self) -> Cluster:
        """The copy as a cluster."""
        sockets = socket_directory(self.ground.path / "copy-run", PORT)
        return Cluster(self.path, sockets, PORT, self.ground.cluster.programs)

    def make(self) -> None:
        """Make the empty directory, for tools that want to find one."""
        self.path.mkdir(mode=0o700)
        self.ground.owner.take(self.path)

    def own(self) -> None:
        """Give the copy to the server's user, and to nobody else."""
        owner = self.ground.owner
        whose = f"{owner.uid}:{owner.gid}"
        subprocess.run(["/bin/chown", "-R", whose, str(self.path)], check=True)
        self.path.chmod(0o700)

    def answer(self) -> None:
        """Start the copy, and ask it something as soon as it can be written."""
        self.cluster.start({"archive_mode": "off"}, START_S)
        ask(self._server)

    @property
    def _server(self) -> Server:
        return self.cluster.server("main", DATABASE)

    def look(self) -> object:
        """Tell what the copy holds."""
        return look_at(self._server)

    def stop(self) -> None:
        """Stop the copy."""
        self.cluster.stop("fast")

    def clear(self) -> None:
        """Stop the copy and take it away."""
        self.cluster.stop("immediate")
        shutil.rmtree(self.path)


def look_at(server: Server) -> object:
    """Tell what the messages of a copy are, as far as the benchmarks change them."""
    with server.connect() as connection:
        return connection.execute("select count(*), sum(attempts) from hl7.messages").fetchone()


def ask(server: Server) -> None:
    """Ask a server for one row, when it is promoted."""
    with server.connect() as connection:
        while connection.execute("select pg_is_in_recovery()").fetchone() != (False,):
            time.sleep(PAUSE_S)
        connection.execute("select id from hl7.messages limit 1").fetchone()
