"""What of ours runs for a home: noted while it runs, found again after a kill, and ended whole."""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from tasks.control.errors import Refused, Transient


log = logging.getLogger(__name__)

NOTE = "up.json"
"""In the home while `up` or `demo` runs: its process and the address of its user interface."""

STOP_S = 60
"""How long a program is given to stop by itself."""

CLOCK_S = 5
"""By so much the start of a process may seem to move when the clock is set."""


@contextmanager
def sole(home: Path) -> Iterator[None]:
    """Be the only one who runs Prefect in a home while the block runs.

    Raises:
        Refused: somebody does already.

    """
    running = note(home)
    if running:
        raise Refused(
            "it is up already",
            seen=f"process {running['pid']} at {running['url']}",
            expected="one `up` or `demo` for a home",
            do="use that one, or hl7ops down",
        )
    end_strays(home)
    write_note(home, "an address to come")
    try:
        yield
    finally:
        (home / NOTE).unlink(missing_ok=True)


def write_note(home: Path, url: str) -> None:
    """Note that this process runs Prefect in a home, and at which address."""
    written = {"pid": os.getpid(), "begun": _begun(os.getpid()), "url": url}
    (home / NOTE).write_text(json.dumps(written))


def note(home: Path) -> dict[str, Any] | None:
    """Return process and address of the `up` or `demo` that runs in a home, or None.

    After a crash its number may be somebody else's, who began at another time.
    """
    try:
        written: dict[str, Any] = json.loads((home / NOTE).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return written if abs(_begun(written["pid"]) - written["begun"]) < CLOCK_S else None


def end_noted(home: Path) -> bool:
    """Let the `up` or `demo` of a home stop itself; return whether there was one.

    Raises:
        Transient: it did not, in time.

    """
    running = note(home)
    if running is None:
        return False
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(running["pid"])
        process.terminate()
        try:
            process.wait(STOP_S)
        except psutil.TimeoutExpired:
            seen = f"process {process.pid} still runs after {STOP_S} s"
            raise Transient("Prefect does not stop", seen=seen, do="try again") from None
    return True


def end_strays(home: Path) -> int:
    """End what a killed `up` or `demo` left running in a home; return how many there were."""
    found = [process for process in psutil.process_iter() if _is_prefect_of(process, home)]
    for process in found:
        log.warning("ending process %d, which a killed run left", process.pid)
        end(process.pid)
    return len(found)


def end(pid: int) -> None:
    """End a program and all that it started, kindly at first."""
    try:
        first = psutil.Process(pid)
        family = [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    first.terminate()
    _, alive = psutil.wait_procs(family, timeout=STOP_S / 4)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(alive, timeout=STOP_S / 4)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _begun(pid: int) -> float:
    """Return when a process began, in seconds since 1970; 0 where there is none."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0


def _is_prefect_of(process: psutil.Process, home: Path) -> bool:
    try:
        is_prefect = any(f"{part}.".startswith("prefect.") for part in process.cmdline())
        return is_prefect and process.environ().get("PREFECT_HOME") == str(home / "prefect")
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
