"""Copies whose servers run: found among the processes of this machine, whoever started them."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from tasks.postgres.auto_conf import give_back
from tasks.postgres.cluster import Cluster
from tasks.postgres.copy_configuration import MARKER
from tasks.postgres.embedded import Home
from tasks.recovery.restoring.directory import Destination


Kind = Literal["restored", "half-made", "scratch"]


@dataclass(frozen=True)
class RunningCopy:
    """The server of a copy: its data directory, its process, and its programs."""

    path: Path
    pid: int
    programs: Path

    @property
    def kind(self) -> Kind:
        """What it is: in its place, on its way there, or one that is only looked at."""
        folder = self.path.parent
        if folder.parent.name == "scratch":
            return "scratch"
        is_made = folder.name.startswith(".") and folder.name.endswith(".restoring")
        return "half-made" if is_made else "restored"

    def stop(self) -> bool:
        """Stop it; return whether it still ran. In its place it has its source's settings again."""
        ran = Cluster(self.path, self.path.parent, 0, self.programs).stop()
        if self.kind == "restored":
            give_back(self.path)
        return ran


def of_home(home: Home) -> list[RunningCopy]:
    """Return the copies that run for a home, wherever their directories are."""
    return [
        copy
        for copy, command in _running()
        if f"{MARKER}={home.path}" in command or copy.path.is_relative_to(home.scratch)
    ]


def at(path: Path) -> list[RunningCopy]:
    """Return the copies that run in a directory, or on their way there; no server of others."""
    places = (path, Destination(path).work / "data")
    return [
        copy
        for copy, command in _running()
        if copy.path in places and any(part.startswith(f"{MARKER}=") for part in command)
    ]


def _running() -> Iterator[tuple[RunningCopy, Sequence[str]]]:
    """Yield every server of this machine whose command line tells its directory, with that."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError, ValueError, IndexError):
            command = process.cmdline()
            if Path(command[0]).name != "postgres" or "-D" not in command:
                continue
            path = Path(command[command.index("-D") + 1])
            lines = (path / "postmaster.pid").read_text().splitlines()
            if int(lines[0]) == process.pid:  # none of its children
                yield RunningCopy(path, process.pid, Path(command[0]).parent), command
