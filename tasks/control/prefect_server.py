"""The Prefect server, worker and deployments of this home, run as programs beside us."""

import logging
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import httpx
import psutil

from tasks.control import dead_man, proof_pool
from tasks.control.errors import Transient


log = logging.getLogger(__name__)

Process: TypeAlias = "subprocess.Popen[bytes]"

POOL = "hl7ops"

HEALTHY_S = 180

PORTS_TRIED = 20


@dataclass(frozen=True)
class PrefectServer:
    """Where Prefect listens and where it keeps its things."""

    port: int
    home: Path
    database: str

    @property
    def url(self) -> str:
        """Address of the user interface."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def api(self) -> str:
        """Address of the API."""
        return f"{self.url}/api"

    def environment(self) -> dict[str, str]:
        """Return what every program of Prefect is given; nothing leaves this machine."""
        return {
            **os.environ,
            "PREFECT_HOME": str(self.home / "prefect"),
            "PREFECT_API_URL": self.api,
            "PREFECT_SERVER_API_HOST": "127.0.0.1",
            "PREFECT_SERVER_API_PORT": str(self.port),
            "PREFECT_SERVER_UI_API_URL": self.api,
            "PREFECT_API_DATABASE_CONNECTION_URL": self.database,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "GX_ANALYTICS_ENABLED": "false",
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            "PREFECT_LOGGING_EXTRA_LOGGERS": "tasks,reports",
            "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": (
                "prefect.server.concurrency.lease_storage.filesystem"
            ),
            "HL7OPS_HOME": str(self.home),
        }

    def start(self) -> Process:
        """Start the server; it is healthy some seconds later."""
        return self.spawn("server", "start", "--host", "127.0.0.1", "--port", str(self.port))

    def spawn(self, *arguments: str) -> Process:
        """Start one of Prefect's programs, with its output in a log of its own."""
        (self.home / "prefect").mkdir(exist_ok=True, mode=0o700)
        path = self.home / "prefect" / f"{arguments[0]}.log"
        with path.open("ab") as output:
            return subprocess.Popen(  # noqa: S603 - our own arguments
                [sys.executable, "-m", "prefect", *arguments],
                env=self.environment(),
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def await_health(self, process: Process) -> None:
        """Wait until the server answers, and not another one that took its port first.

        Raises:
            Transient: it ended, or does not answer in time.

        """
        deadline = time.monotonic() + HEALTHY_S
        while time.monotonic() < deadline and process.poll() is None:
            try:
                is_healthy = httpx.get(f"{self.api}/health", timeout=5).is_success
            except httpx.TransportError:
                is_healthy = False
            if is_healthy and _listens(process.pid, self.port):
                return
            time.sleep(0.25)
        raise Transient(
            "the Prefect server did not come up",
            seen=f"nothing at {self.url}",
            do=f"read {self.home / 'prefect' / 'server.log'}",
        )

    def run(self, *arguments: str, **also: str) -> None:
        """Run a module to its end, such as Prefect's own command line; `also` in its environment.

        Raises:
            Transient: it failed; the text is the end of what it said.

        """
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", *arguments],
            env=self.environment() | also,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            said = " | ".join((done.stdout + done.stderr).strip().splitlines()[-3:])
            raise Transient(f"{' '.join(arguments)} failed", seen=said)

    def prepare(self, stanza: str, proofs_on: str | None = None) -> None:
        """Make work pools, blocks, deployments and the dead-man's switch; what is there stays.

        Args:
            stanza: the operated cluster.
            proofs_on: the work pool of proofs; None: they run where backups are taken.

        """
        body = {"name": POOL, "type": "process", "description": "Runbooks of HL7 Ops."}
        made = httpx.post(f"{self.api}/work_pools/", json=body, timeout=30)
        if made.status_code != httpx.codes.CONFLICT:
            made.raise_for_status()
        self.run("blocks", stanza)
        self.run("prefect", "--no-prompt", "deploy", "--all", HL7OPS_STANZA=stanza)
        if proofs_on:
            proof_pool.deploy(self.api, proofs_on)
        dead_man.arm(self.api, stanza)


def _listens(pid: int, port: int) -> bool:
    """Tell whether a program, or one that it started, listens on a port."""
    first = psutil.Process(pid)
    family = [first, *first.children(recursive=True)]
    ports = {each.laddr.port for process in family for each in process.net_connections("tcp")}
    return port in ports


def free_port(first: int) -> int:
    """Return the first port from `first` on that nobody listens on.

    Raises:
        Transient: none of the next twenty is free.

    """
    for port in range(first, first + PORTS_TRIED):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Transient(
        "no free port for the Prefect UI",
        seen=f"{first} to {first + PORTS_TRIED - 1} are in use",
        do="set HL7OPS_PORT",
    )
