"""Barman as PyPI has it, in a virtual environment of its own, with `backup_method = postgres`."""

import getpass
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rivals.ground import Answer, Ground
from benchmarks.rivals.rival import Kind, largest_first, segments


PACKED = (
    "backup_compression = gzip",
    "backup_compression_level = 1",
    "backup_compression_location = client",
)
"""The one method that the embedded server and its client bring, at its fastest."""

ASIDE = "barman-aside"
"""Where a segment is copied to before it is moved in whole."""

INFO = "-backup.info"
"""What the name of a backup's description ends with."""


@dataclass(frozen=True)
class Barman:
    """A server `main` of Barman: base backups by `pg_basebackup`, WAL by `archive_command`."""

    ground: Ground
    tool: Path
    name: str = "Barman"
    start_key: str = "begin_xlog"

    def set_up(self) -> None:
        """Write its configuration, and hand it the server's WAL."""
        for folder in ("barman", "barman/main", "barman/main/incoming", "barman-lock", ASIDE):
            self.ground.folder(folder)
        self.ground.file("barman.conf", self._configuration())
        self.ground.file("barman-packed.conf", self._configuration(*PACKED))
        incoming, aside = self._place / "incoming", self.ground.path / ASIDE
        copy = f"cp %p {aside}/%f && mv {aside}/%f {incoming}/%f"
        self.ground.archive_by(copy)
        self.settle()

    @property
    def _place(self) -> Path:
        return self.ground.path / "barman" / "main"

    def _run(self, command: Sequence[str]) -> Answer:
        """Run it as ourselves: the server's user need not be able to enter our Python."""
        return self.ground.run(command, as_ourselves=True)

    @property
    def version(self) -> str:
        """Its version, as it says itself."""
        return self._must(*self.command("--version")).split()[0]

    def _must(self, *command: str) -> str:
        return self.ground.must(command, as_ourselves=True)

    def _configuration(self, *more: str) -> str:
        cluster, where = self.ground.cluster, self.ground.path
        address = f"host={cluster.sockets} port={cluster.port} user=postgres"
        lines = [
            "[barman]",
            f"barman_user = {getpass.getuser()}",
            f"barman_home = {where}/barman",
            f"barman_lock_directory = {where}/barman-lock",
            f"log_file = {where}/barman-log",
            "[main]",
            "description = benchmark",
            f"conninfo = {address} dbname=postgres",
            f"streaming_conninfo = {address}",
            "backup_method = postgres",
            "archiver = on",
            "immediate_checkpoint = true",
            f"path_prefix = {cluster.programs}",
            *more,
        ]
        return "\n".join(lines) + "\n"

    def command(self, *arguments: str, packed: bool = False) -> list[str]:
        """Return a command line of it."""
        config = self.ground.path / ("barman-packed.conf" if packed else "barman.conf")
        return [str(self.tool), "--color=never", "-c", str(config), *arguments]

    def backup_command(self, kind: Kind, *, packed: bool = False) -> list[str]:
        """Return the command line that takes a backup and waits for its WAL."""
        base = ["--incremental", "latest"] if kind == "incremental" else []
        return self.command("backup", "--wait", *base, "main", packed=packed)

    def restore_command(self, backup: str, path: Path, *options: str) -> list[str]:
        """Return the command line that restores a backup with the WAL after it, in two jobs."""
        return self.command("recover", "--jobs", "2", *options, "main", backup, str(path))

    def backup(self, kind: Kind) -> None:
        """Take a backup."""
        self._must(*self.backup_command(kind))

    def delete(self, backup: str) -> None:
        """Delete a backup and what is built on it."""
        self._must(*self.command("delete", "main", backup))

    def settle(self) -> None:
        """Wait until the server has handed over all of its WAL, and let it be taken in."""
        self.ground.await_archived()
        self._must(*self.command("archive-wal", "main"))

    def checks(self, backups: Sequence[str]) -> dict[str, Answer]:
        """Run `verify-backup` and `check-backup` of each backup, and `check` of the server."""
        found = {
            f"{verb} #{number}": self._run(self.command(verb, "main", backup))
            for verb in ("verify-backup", "check-backup")
            for number, backup in enumerate(backups, start=1)
        }
        return found | {"check": self._run(self.command("check", "main"))}

    def places(self) -> list[Path]:
        """Return the directory of the server."""
        return [self._place]

    def folder(self, backup: str) -> Path:
        """Return the directory of a backup."""
        return self._place / "base" / backup

    def backups(self) -> list[str]:
        """List its backups, oldest first."""
        names = (path.name for path in (self._place / "meta").glob(f"*{INFO}"))
        return sorted(name.removesuffix(INFO) for name in names)

    def data(self, backup: str) -> list[Path]:
        """List its copies of the cluster's files."""
        files = largest_first(self.folder(backup) / "data")
        return [path for path in files if path.name != "backup_manifest"]

    def documents(self, backup: str) -> list[Path]:
        """Return the file that describes a backup."""
        return [self._place / "meta" / f"{backup}{INFO}"]

    def file_list(self, backup: str) -> Path | None:
        """Return PostgreSQL's own manifest."""
        return self.folder(backup) / "data" / "backup_manifest"

    def identity(self) -> list[Path]:
        """Return the file that says whose the catalogue is."""
        return [self._place / "identity.json"]

    def wal(self) -> dict[str, Path]:
        """Return the archived segments."""
        return segments(self._place / "wals")

    def span(self, backup: str) -> tuple[str, str]:
        """Read the span from what describes the backup."""
        lines = self.documents(backup)[0].read_text().splitlines()
        known = dict(line.split("=", 1) for line in lines if "=" in line)
        return known["begin_wal"], known["end_wal"]

    def histories(self) -> list[Path]:
        """List the archived history files."""
        return sorted((self._place / "wals").rglob("*.history"))


@contextmanager
def installed() -> Iterator[Path]:
    """Yield Barman's program, installed into an environment that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="hl7ops-bench-") as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip, tool = (Path(folder, "bin", name) for name in ("pip", "barman"))
        subprocess.run([pip, "install", "--quiet", "barman"], check=True, capture_output=True)
        yield tool


def version(tool: Path) -> str:
    """Return the version, as it says itself."""
    said = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout
    return said.split()[0]
