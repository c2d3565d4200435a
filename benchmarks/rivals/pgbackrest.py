"""pgBackRest as Debian packages it: 2.45, which serves PostgreSQL up to 15."""

import configparser
import os
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rivals.ground import Answer, Ground
from benchmarks.rivals.rival import Kind, largest_first, segments


PROGRAMS = Path("/usr/lib/postgresql/15/bin")
"""Where Debian's package `postgresql-15` puts the server's programs."""

TOOL = "/usr/bin/pgbackrest"

KINDS = {"full": "full", "incremental": "incr"}


@dataclass(frozen=True)
class PgBackRest:
    """A stanza with a plain repository, and an encrypted second one where it is wanted."""

    ground: Ground
    encrypted: bool = False
    name: str = "pgBackRest"
    start_key: str = "backup-lsn-start"

    def set_up(self) -> None:
        """Write its configuration, make the stanza and hand it the server's WAL."""
        for folder in ("backrest-log", "backrest-lock", "backrest-spool"):
            self.ground.folder(folder)
        self.ground.file("pgbackrest.conf", self._configuration())
        self.ground.must(self.command("stanza-create"))
        push = " ".join(self.command("archive-push"))
        self.ground.archive_by(f"{push} %p")

    def _configuration(self) -> str:
        ground, where = self.ground, self.ground.path
        repositories = [f"repo1-path={self._repository(1)}", "repo1-retention-full=99"]
        if self.encrypted:
            repositories += [
                f"repo2-path={self._repository(2)}",
                "repo2-retention-full=99",
                "repo2-cipher-type=aes-256-cbc",
                f"repo2-cipher-pass={secrets.token_hex(24)}",
            ]
        lines = [
            "[global]",
            *repositories,
            *(f"{kind}-path={where}/backrest-{kind}" for kind in ("log", "lock", "spool")),
            "log-level-file=off",
            "compress-type=zst",
            "compress-level=1",
            "process-max=2",
            "start-fast=y",
            "archive-timeout=15",
            "[main]",
            f"pg1-path={ground.cluster.data}",
            f"pg1-port={ground.cluster.port}",
            f"pg1-socket-path={ground.cluster.sockets}",
            "pg1-user=postgres",
        ]
        return "\n".join(lines) + "\n"

    def _repository(self, number: int) -> Path:
        return self.ground.folder(f"backrest-{number}")

    def command(self, verb: str, *options: str) -> list[str]:
        """Return a command line of it."""
        config = f"--config={self.ground.path}/pgbackrest.conf"
        return [TOOL, config, "--stanza=main", *options, verb]

    def backup_command(self, kind: Kind, repository: int = 1) -> list[str]:
        """Return the command line that takes a backup into one of its repositories."""
        return self.command("backup", f"--type={KINDS[kind]}", f"--repo={repository}")

    def restore_command(self, path: Path, *options: str) -> list[str]:
        """Return the command line that restores the newest backup, to be promoted at its end."""
        ends = ("--type=immediate", "--target-action=promote")
        return self.command("restore", f"--pg1-path={path}", *ends, *options)

    def backup(self, kind: Kind) -> None:
        """Take a backup into the plain repository."""
        self.ground.must(self.backup_command(kind))

    def settle(self) -> None:
        """Wait until the server has handed over all of its WAL."""
        self.ground.await_archived()

    def checks(self, backups: Sequence[str]) -> dict[str, Answer]:  # noqa: ARG002 - knows its own
        """Run `verify`, which reads the repository, and `check`, which tries the archiving."""
        loud = "--log-level-console=info"
        return {
            "verify": self.ground.run(self.command("verify", "--output=text", loud)),
            "check": self.ground.run(self.command("check", loud)),
        }

    def places(self) -> list[Path]:
        """Return its plain repository."""
        return [self._repository(1)]

    def folder(self, backup: str, repository: int = 1) -> Path:
        """Return the directory of a backup."""
        return self._repository(repository) / "backup" / "main" / backup

    def backups(self, repository: int = 1) -> list[str]:
        """List its backups, oldest first."""
        found = self.folder("", repository).glob("*/backup.manifest")
        return sorted(path.parent.name for path in found if not path.parent.is_symlink())

    def data(self, backup: str) -> list[Path]:
        """List its copies of the cluster's files; an incremental backup has the changed ones."""
        return largest_first(self.folder(backup) / "pg_data")

    def documents(self, backup: str) -> list[Path]:
        """Return the manifest and the copy that it keeps of it."""
        folder = self.folder(backup)
        return [folder / "backup.manifest", folder / "backup.manifest.copy"]

    def file_list(self, backup: str) -> None:  # noqa: ARG002
        """Return nothing: it keeps a list of its own only."""
        return

    def identity(self) -> list[Path]:
        """Return the files that list the backups and the cluster, and their copies."""
        place = self._repository(1)
        names = ("backup/main/backup.info", "archive/main/archive.info")
        return [place / f"{name}{copy}" for copy in ("", ".copy") for name in names]

    def wal(self) -> dict[str, Path]:
        """Return the archived segments."""
        return segments(self._repository(1) / "archive")

    def span(self, backup: str) -> tuple[str, str]:
        """Read the span from the manifest."""
        manifest = configparser.RawConfigParser(strict=False, delimiters=("=",))
        manifest.read(self.documents(backup)[0])
        ends = manifest["backup"]
        first, last = (ends[f"backup-archive-{end}"].strip('"') for end in ("start", "stop"))
        return first, last

    def histories(self) -> list[Path]:
        """List the archived history files."""
        return sorted((self._repository(1) / "archive").rglob("*.history"))


def ensure() -> None:
    """Install Debian's packages where they are missing; their own cluster does not stay up.

    Raises:
        RuntimeError: it cannot be done here.

    """
    if Path(TOOL).exists() and (PROGRAMS / "postgres").exists():
        return
    packages("pgbackrest", "postgresql-15", "postgresql-contrib")
    subprocess.run(["/usr/bin/pg_ctlcluster", "15", "main", "stop"], check=False)


def packages(*names: str) -> None:
    """Install Debian's packages.

    Raises:
        RuntimeError: it cannot be done here.

    """
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise RuntimeError(f"missing: install Debian's packages {', '.join(names)}")
    subprocess.run([apt, "update", "-qq"], check=True)
    subprocess.run([apt, "install", "-y", "-qq", *names], check=True)
