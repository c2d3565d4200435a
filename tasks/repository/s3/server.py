"""A real S3 server on this machine, which checks signatures: for the demo and the tests."""

import os
import secrets
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from pydantic import SecretStr

from tasks.control.errors import Transient


READY_S = 30

STOP_S = 10


@dataclass(frozen=True)
class Server:
    """Where it listens, the bucket that is there, and the pair of keys that it knows."""

    endpoint: str
    bucket: str
    access_key: str
    secret_key: SecretStr = field(repr=False)

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a repository in the bucket."""
        return {
            "s3_bucket": self.bucket,
            "s3_endpoint_url": self.endpoint,
            "s3_region": "us-east-1",
            "s3_access_key_id": self.access_key,
            "s3_secret_access_key": self.secret_key.get_secret_value(),
        }


@contextmanager
def serving(folder: Path, bucket: str) -> Iterator[Server]:
    """Run `rclone serve s3` on a directory while the block runs; its buckets are directories.

    Raises:
        Transient: it did not come up.

    """
    (folder / bucket).mkdir(parents=True, exist_ok=True, mode=0o700)
    port = _free_port()
    server = Server(
        f"http://127.0.0.1:{port}",
        bucket,
        f"KEY{secrets.token_hex(8)}",
        SecretStr(secrets.token_hex(16)),
    )
    keys = f'"{server.access_key},{server.secret_key.get_secret_value()}"'  # CSV: one pair
    with subprocess.Popen(  # noqa: S603 - our own arguments
        [
            Path(sysconfig.get_path("scripts"), "rclone"),
            *("serve", "s3", str(folder), "--addr", f"127.0.0.1:{port}", "--log-level", "ERROR"),
        ],
        env={**os.environ, "RCLONE_AUTH_KEY": keys, "RCLONE_CONFIG": os.devnull},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _await(server, process)
            yield server
        finally:
            process.terminate()
            process.wait(STOP_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await(server: Server, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(server.endpoint, timeout=5)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise Transient(
        "the S3 server did not come up", seen=f"nothing at {server.endpoint}", do="try again"
    )
