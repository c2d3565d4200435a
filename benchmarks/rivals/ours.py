"""The project itself under the same interface, by its command line and nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.rivals.ground import TIMEOUT_S, Answer, Ground
from benchmarks.rivals.rival import Kind, largest_first, segments


DOCUMENT = "backup.json"


@dataclass(frozen=True)
class Ours:
    """A stanza on a ground, with further settings where they are wanted."""

    ground: Ground
    extra: dict[str, str] = field(default_factory=dict)
    stanza: str = "main"
    name: str = "hl7ops"
    start_key: str = "start_lsn"
    kept: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The settings, as the command line takes them."""
        cluster = self.ground.cluster
        address = f"host={cluster.sockets}&port={cluster.port}&user=postgres"
        return {
            **os.environ,
            "HL7OPS_HOME": str(self.home),
            "HL7OPS_STANZA": self.stanza,
            "HL7OPS_PROGRAMS": str(cluster.programs),
            "DATABASE_URL": f"postgresql:///hl7?{address}",
            **self.extra,
        }

    @property
    def home(self) -> Path:
        """Its home: keys, scratch space and the repository."""
        return self.ground.path / f"home-{self.stanza}"

    @property
    def repository(self) -> Path:
        """Its repository, which is in its home unless it is kept elsewhere."""
        return self.kept or self.home / "repository"

    def command(self, *arguments: str) -> list[str]:
        """Return a command line of it."""
        return [sys.executable, "-m", "flows", *arguments]

    def run(self, *arguments: str) -> Answer:
        """Run it, and return what it ended with and said."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        return Answer(done.returncode, done.stdout)

    def told(self, *arguments: str) -> Any:  # noqa: ANN401 - JSON
        """Run it with `--json` and return what it said.

        Raises:
            RuntimeError: it failed.

        """
        done = subprocess.run(
            self.command(*arguments, "--json"),
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"hl7ops {' '.join(arguments)}: {done.stderr[-800:]}")
        return json.loads(done.stdout)

    def set_up(self) -> None:
        """Begin the archive of WAL; the repository is made on the way."""
        self.told("wal", "pull")

    def backup(self, kind: Kind) -> None:
        """Take a backup."""
        self.told("backup", kind)

    def settle(self) -> None:
        """Pull all WAL that was written."""
        self.told("wal", "pull")

    def checks(self, backups: Sequence[str]) -> dict[str, Answer]:
        """Prove each backup, and check the repository where the command line can."""
        found = {f"verify {number}": self.run("verify", id_) for number, id_ in _numbered(backups)}
        if "check" in self.run("repository", "--help").text:
            found["repository check"] = self.run("repository", "check")
        return found

    def places(self) -> list[Path]:
        """Return its repository, and the keys that it trusts."""
        return [self.repository, self.home / "keys"]

    def folder(self, backup: str) -> Path:
        """Return the directory of a backup."""
        return self.repository / self.stanza / "backups" / backup

    def backups(self) -> list[str]:
        """List its complete backups, oldest first."""
        found = (path.parent.name for path in self.folder("").glob(f"*/{DOCUMENT}"))
        return sorted(found, key=lambda name: name.rpartition("-")[2])

    def data(self, backup: str) -> list[Path]:
        """List its objects."""
        files = largest_first(self.folder(backup))
        return [path for path in files if path.name != DOCUMENT and "proofs" not in path.parts]

    def documents(self, backup: str) -> list[Path]:
        """Return the signed document."""
        return [self.folder(backup) / DOCUMENT]

    def file_list(self, backup: str) -> Path | None:
        """Return PostgreSQL's own manifest as it is stored."""
        return next(iter(self.folder(backup).glob("backup_manifest*")), None)

    def identity(self) -> list[Path]:
        """Return the document that says whose the repository is."""
        return [self.repository / self.stanza / "stanza.json"]

    def wal(self) -> dict[str, Path]:
        """Return the archived segments."""
        return segments(self.repository / self.stanza / "wal")

    def span(self, backup: str) -> tuple[str, str]:
        """Read from the document where the backup begins, and where its seal lies."""
        document = json.loads(self.documents(backup)[0].read_text())["document"]
        size, timeline = document["segment_bytes"], document["timeline"]
        ends = (document["start_lsn"], document["seal"]["lsn"])
        first, last = (_segment(end, timeline, size) for end in ends)
        return first, last

    def histories(self) -> list[Path]:
        """List the archived history files."""
        return sorted((self.repository / self.stanza).rglob("*.history*"))


def _numbered(backups: Sequence[str]) -> list[tuple[str, str]]:
    return [(f"#{number}", name) for number, name in enumerate(backups, start=1)]


def _segment(lsn: str, timeline: int, size: int) -> str:
    """Return the name of the segment that holds a position (XLogFileName of PostgreSQL)."""
    high, _, low = lsn.partition("/")
    number = ((int(high, 16) << 32) + int(low, 16)) // size
    per_log = (1 << 32) // size
    return f"{timeline:08X}{number // per_log:08X}{number % per_log:08X}"
