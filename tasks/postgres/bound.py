"""Servers that die with the process that started them, by Linux' parent-death signal."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tasks.postgres.owner import Owner


PAUSE_S = 0.02

END_S = 60
"""How long a server that was told to end may take until it is told at once."""

GUARD = '[ "$PPID" = "$1" ] || exit 1; shift; exec "$@"'
"""A parent that died before the signal was asked for would never send it."""

READY = ("ready", "standby")
"""What a server's process file says once it is up; a copy that cannot be read yet is a standby."""

_STATUS_LINE = 7
"""The status is the eighth line of `postmaster.pid` (src/include/utils/pidfile.h)."""

_running: dict[Path, subprocess.Popen[bytes]] = {}

_starters: dict[int, ThreadPoolExecutor] = {}


def can_bind() -> bool:
    """Tell whether this machine has what asks for the signal."""
    return shutil.which("setpriv", path=os.defpath) is not None


def start(command: Sequence[str], data: Path, log: Path, owner: Owner, timeout_s: float) -> bool:
    """Start a server as our child, and return whether it came up in time.

    The signal comes when the *thread* ends that started it, so one that lives as long as we do does
    that. The user is switched before: that would clear the signal.

    Args:
        command: the server's.
        data: its data directory.
        log: where its output goes.
        owner: whom it runs as.
        timeout_s: seconds to wait, recovery included.

    """
    bound = ["setpriv", "--pdeathsig", "QUIT", "sh", "-c", GUARD, "sh", str(os.getpid()), *command]
    with log.open("ab") as said:
        process = _starter().submit(_spawn, bound, said.fileno(), owner).result()
    _running[data] = process
    deadline = time.monotonic() + timeout_s
    while process.poll() is None and time.monotonic() < deadline:
        if _status(data, process.pid) in READY:
            return True
        time.sleep(PAUSE_S)
    return False


def end(data: Path, *, is_told: bool) -> None:
    """Wait for the end of our child that serves a data directory, if one does.

    Args:
        data: the data directory.
        is_told: whether it was told to end; otherwise, and if it does not in time, it is now, at
            once.

    """
    process = _running.pop(data, None)
    if process is None:
        return
    try:
        process.wait(END_S if is_told else 0)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait(END_S)


def _starter() -> ThreadPoolExecutor:
    """Return the thread of this process that starts servers; a fork has none of its parent's.

    Of two that are made at once one is dropped, before it has a thread.
    """
    return _starters.setdefault(os.getpid(), ThreadPoolExecutor(1, "servers"))


def _spawn(command: Sequence[str], output: int, owner: Owner) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - no shell of the command, our own arguments
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        start_new_session=True,
        **owner.spawn(),
    )


def _status(data: Path, pid: int) -> str:
    """Return what the process file of a server says of it; nothing where it is another's."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return ""
    is_its = len(lines) > _STATUS_LINE and lines[0] == str(pid)
    return lines[_STATUS_LINE].strip() if is_its else ""
