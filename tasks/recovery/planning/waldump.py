"""What archived WAL holds, read by PostgreSQL's own `pg_waldump`: records and ends of transactions.

Only positions, ids, times and names of restore points are read of it, never what was written.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from tasks.control import clock
from tasks.postgres import lsn, programs


TIMEOUT_S = 300

ENDS = (0, 1)
"""Exit codes: it read to the end that was asked for, or to where no further record follows."""

_RECORD = re.compile(
    r"tx:\s*(?P<xid>\d+), lsn: (?P<lsn>[0-9A-F]+/[0-9A-F]+), prev (?P<prev>[0-9A-F]+/[0-9A-F]+),"
)
_MARK = re.compile(
    r" desc: (?P<what>COMMIT|ABORT|COMMIT_PREPARED|ABORT_PREPARED|RESTORE_POINT) (?P<rest>.*)"
)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) UTC")
_PREPARED = re.compile(r"(\d+): ")

What = Literal["commit", "abort", "restore point"]


@dataclass(frozen=True)
class Mark:
    """The end of a transaction, or a restore point: where its record begins, and when it was.

    A restore point has a `name` and no transaction; `pg_waldump` does not tell its time.
    """

    position: int
    what: What
    xid: int = 0
    at: datetime | None = None
    name: str = ""

    @property
    def told(self) -> str:
        """What it is, for people."""
        if self.what == "restore point":
            return f"restore point {self.name}"
        time = f" at {clock.exact(self.at)}" if self.at else ""
        return f"{self.what} of transaction {self.xid}{time}"


@dataclass(frozen=True)
class Record:
    """Where a record begins, and where the one before it does, in bytes."""

    position: int
    previous: int


def marks(tools: Path, folder: Path, segment: str) -> list[Mark]:
    """List the marks of a segment.

    Args:
        tools: the directory of the programs.
        folder: where segments lie; the next one must, where a record goes on into it.
        segment: the name of the segment.

    """
    said = _run(tools, folder, "--rmgr=Transaction", "--rmgr=XLOG", segment, segment)
    return list(_marks(said))


def first_record(tools: Path, folder: Path, timeline: int, position: int) -> Record | None:
    """Return the first record that begins at a position or after it; None: there is none."""
    said = _run(
        tools, folder, f"--timeline={timeline}", f"--start={lsn.spell(position)}", "--limit=1"
    )
    return next(_records(said), None)


def last_record(tools: Path, folder: Path, segment: str) -> Record | None:
    """Return the last record that begins in a segment and is whole; None: there is none."""
    last = None
    for last in _records(_run(tools, folder, segment, segment)):  # noqa: B007 - the last one
        pass
    return last


def _run(tools: Path, folder: Path, *arguments: object) -> str:
    done = programs.run(
        tools, "pg_waldump", ["--path", folder, *arguments], timeout_s=TIMEOUT_S, accept=ENDS
    )
    return done.stdout


def _records(said: str) -> Iterator[Record]:
    for found in _RECORD.finditer(said):
        yield Record(lsn.parse(found["lsn"]), lsn.parse(found["prev"]))


def _marks(said: str) -> Iterator[Mark]:
    for line in said.splitlines():
        record, mark = _RECORD.search(line), _MARK.search(line)
        if record and mark:
            yield _mark(record, mark)


def _mark(record: re.Match[str], mark: re.Match[str]) -> Mark:
    position = lsn.parse(record["lsn"])
    if mark["what"] == "RESTORE_POINT":
        return Mark(position, "restore point", name=mark["rest"])
    what: What = "commit" if "COMMIT" in mark["what"] else "abort"
    prepared = _PREPARED.match(mark["rest"])
    time = _TIME.search(mark["rest"])
    at = datetime.fromisoformat(time[1]).replace(tzinfo=UTC) if time else None
    return Mark(position, what, int(prepared[1]) if prepared else int(record["xid"]), at)
