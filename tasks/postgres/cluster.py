"""Clusters that we run ourselves: make, start, stop and ask after them."""

import hashlib
import logging
import os
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from psycopg import conninfo

from tasks.control.errors import OpsError, Refused
from tasks.postgres import bound, copy_session, programs
from tasks.postgres.owner import Owner, owner_of
from tasks.postgres.server import Server


log = logging.getLogger(__name__)

PLAIN = {
    "channel_binding": "disable",
    "sslmode": "disable",
    "gssencmode": "disable",
    "target_session_attrs": "any",
}
"""How our own servers are reached, whatever the environment demands of others."""

SOCKET_PATH_LIMIT = 107
"""Longest path of a Unix socket on Linux, in bytes (sun_path)."""

START_TIMEOUT_S = 120

SILENT = "nothing in its log"
"""What stands for the last words of a server that said nothing fatal."""


SHORTAGES = (
    "No space left on device",
    "Cannot allocate memory",
    "out of memory",
    "Too many open files",
    "could not create any Unix-domain sockets",
    "could not create semaphores",
)
"""What a server says that lacks something of this machine; it tells nothing of the backup."""


@dataclass(frozen=True)
class Cluster:
    """A data directory, the directory of its socket, and the programs that serve it.

    It listens on a Unix socket only, in a directory that no other user can enter, and so needs no
    password. Its log lies beside the data directory, unless it is told where.

    Args:
        data: the data directory.
        sockets: the directory of its socket.
        port: names the socket.
        programs: the directory of the programs.
        logged: its log; None: beside the data directory.
        is_copy: whether it is a copy of another; then no setting of a role or database of its
            source holds for our connections, and no trigger fires.
        is_bound: whether its server dies with whoever started it.

    """

    data: Path
    sockets: Path
    port: int
    programs: Path
    logged: Path | None = None
    is_copy: bool = False
    is_bound: bool = False

    def server(
        self, stanza: str, database: str = "postgres", superuser: str = "postgres"
    ) -> Server:
        """Return the server's address as the superuser."""
        pinned = {"options": copy_session.session(self.data)} if self.is_copy else {}
        address = conninfo.make_conninfo(
            host=str(self.sockets),
            port=self.port,
            user=superuser,
            dbname=database,
            **pinned,
            **PLAIN,
        )
        return Server(stanza, address)

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.logged or self.data.with_name(f"{self.data.name}.log")

    def pid(self) -> int | None:
        """Return the process id of the running server, or None.

        After a crash the number in its file may be anybody's, another cluster's among them.
        """
        try:
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            command = psutil.Process(pid).cmdline()
        except (FileNotFoundError, IndexError, psutil.NoSuchProcess):
            return None
        return pid if str(self.data) in command else None

    def create(self, owner: Owner, settings: dict[str, str], superuser: str = "postgres") -> None:
        """Make an empty cluster with data checksums; nothing is left where it fails.

        Raises:
            Refused: the directory holds something already.

        """
        if self.data.exists() and any(self.data.iterdir()):
            raise Refused("the data directory is not empty", seen=self.data, do="choose another")
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        owner.take(self.data)
        arguments = [
            "-D",
            self.data,
            "-U",
            superuser,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-k",
        ]
        try:
            programs.run(self.programs, "initdb", arguments, timeout_s=120, owner=owner)
        except OpsError:
            shutil.rmtree(self.data)
            raise
        lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
        with (self.data / "postgresql.auto.conf").open("a") as file:
            file.writelines(lines)

    def start(
        self, options: dict[str, str] | None = None, timeout_s: int = START_TIMEOUT_S
    ) -> None:
        """Start the server and wait until it accepts connections; running already is fine.

        Args:
            options: settings of this start, above every file's.
            timeout_s: seconds to wait, recovery included.

        Raises:
            OpsError: it did not come up; the text holds the last fatal lines of its log.

        """
        if self.pid() is not None:
            return
        owner = owner_of(self.data)
        self.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
        owner.take(self.sockets)
        fixed = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "port": str(self.port),
        }
        options = fixed | (options or {})
        self.log.touch()
        owner.take(self.log)
        is_up = self._start_bound if self.is_bound and bound.can_bind() else self._start_apart
        if not is_up(options, timeout_s, owner):
            self.stop("immediate")
            raise OpsError(
                "the server did not start", seen=last_words(self.log), do=f"read {self.log}"
            )

    def _start_bound(self, options: Mapping[str, str], timeout_s: int, owner: Owner) -> bool:
        given = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command = [str(self.programs / "postgres"), "-D", str(self.data), *given]
        return bound.start(command, self.data, self.log, owner, timeout_s)

    def _start_apart(self, options: Mapping[str, str], timeout_s: int, owner: Owner) -> bool:
        given = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in options.items())
        how = ["-D", self.data, "-l", self.log, "-w", "-t", str(timeout_s), "-o", given, "start"]
        try:
            programs.run(self.programs, "pg_ctl", how, timeout_s=timeout_s + 30, owner=owner)
        except Refused:
            raise
        except OpsError:
            return False
        return True

    def stop(self, mode: str = "fast") -> bool:
        """Stop the server; return whether it ran."""
        if self.pid() is None:
            bound.end(self.data, is_told=False)
            return False
        arguments = ["-D", self.data, "-m", mode, "-w", "-t", "60", "stop"]
        try:
            programs.run(
                self.programs, "pg_ctl", arguments, timeout_s=90, owner=owner_of(self.data)
            )
        except OpsError:
            if self.pid() is not None:  # it may have ended by itself just now
                raise
        bound.end(self.data, is_told=True)
        return True


def last_words(path: Path) -> str:
    """Return the last fatal lines of a server's log, without details, which may quote rows."""
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    fatal = [
        line.partition("] ")[2] or line for line in lines if "FATAL:" in line or "PANIC:" in line
    ]
    return " | ".join(fatal[-2:]) or SILENT


def socket_directory(home: Path, port: int) -> Path:
    """Return where sockets of a home go: inside it, or a short path where it is too deep."""
    inside = home / "run"
    if len(os.fsencode(inside / f".s.PGSQL.{port}.lock")) <= SOCKET_PATH_LIMIT:
        return inside
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return Path(f"/tmp/hl7ops-{os.geteuid()}-{digest}")  # noqa: S108 - short, and entered by us alone
