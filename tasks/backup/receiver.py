"""A pg_receivewal that runs on and on, and the segments that it has finished."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.control.errors import Refused
from tasks.postgres import programs
from tasks.postgres.lsn import Segment
from tasks.postgres.server import Server
from tasks.postgres.timeline import patient
from tasks.repository.stanza import Stanza


STOP_S = 10

SAID = "said"
"""What it says goes here, beside the WAL."""


@dataclass(frozen=True)
class Receiver:
    """A running program and the directory that it writes into."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def is_alive(self) -> bool:
        """Tell whether it still runs."""
        return self.process.poll() is None

    @property
    def last_words(self) -> str:
        """What it said last."""
        lines = (self.folder / SAID).read_text(errors="replace").strip().splitlines()
        return " | ".join(lines[-2:]) or f"exit {self.process.returncode}"

    def finished(self, segment: Segment) -> list[Segment]:
        """Return the whole segments from one on."""
        found = []
        while (self.folder / segment.name).exists():
            found.append(segment)
            segment = segment.next()
        return found

    def unfinished(self, segment: Segment) -> bytes:
        """Return what there is of a segment, filled up with zeros, or nothing."""
        try:
            return (self.folder / f"{segment.name}.partial").read_bytes()
        except FileNotFoundError:  # finished meanwhile
            return b""

    def end(self) -> None:
        """End it; ended already is fine."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def receiving(stanza: Stanza, server: Server, folder: Path, begin: Segment) -> Iterator[Receiver]:
    """Yield a receiver that begins with a segment; it ends when the block does.

    It uses no slot: what it has received and we have not archived, our own slot keeps.

    Raises:
        Refused: the program is not there.

    """
    (folder / f"{begin.name}.partial").touch()  # pg_receivewal continues what it finds
    arguments = ["-D", str(folder), "--no-loop", "--no-password", "--status-interval", "1"]
    with programs.service_file(patient(server)) as env, (folder / SAID).open("wb") as said:
        try:
            process = subprocess.Popen(  # noqa: S603 - no shell, our own arguments
                [str(stanza.programs / "pg_receivewal"), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **env},
                start_new_session=True,  # Ctrl-C is for us, who then end it
            )
        except FileNotFoundError:
            raise Refused(
                "pg_receivewal is missing", seen=stanza.programs, do="set HL7OPS_PROGRAMS"
            ) from None
        receiver = Receiver(process, folder)
        try:
            yield receiver
        finally:
            receiver.end()
