"""Where WAL arrives before it is archived: a directory of the home, empty when nobody uses it."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tasks.repository.stanza import Stanza


log = logging.getLogger(__name__)

STOP_S = 10


@contextmanager
def spooling(stanza: Stanza) -> Iterator[Path]:
    """Yield an empty directory for WAL; whoever uses it holds `wal`, so that it is alone there."""
    collect(stanza)
    folder = _folder(stanza)
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def collect(stanza: Stanza) -> None:
    """End the programs that a killed run left writing into the directory, and empty it."""
    folder = _folder(stanza)
    strays = [each for each in psutil.process_iter() if _writes_to(each, folder)]
    for each in strays:
        log.warning("ending pg_receivewal %d, which a killed run left", each.pid)
        with suppress(psutil.NoSuchProcess):
            each.terminate()
    _, alive = psutil.wait_procs(strays, timeout=STOP_S)
    for each in alive:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(alive, timeout=STOP_S)
    shutil.rmtree(folder, ignore_errors=True)


def _folder(stanza: Stanza) -> Path:
    return stanza.home.path / "spool" / f"{stanza.name}-{stanza.repository}"


def _writes_to(process: psutil.Process, folder: Path) -> bool:
    try:
        command = process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return False
    is_ours = any(Path(part).is_relative_to(folder) for part in command[1:])
    return is_ours and Path(command[0]).name == "pg_receivewal"
