"""Hand WAL to a recovering server as it asks for it, fetched from the archive ahead of it."""

import logging
import os
import shlex
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tasks.postgres.owner import Owner


log = logging.getLogger(__name__)

AHEAD = 8
"""How many segments are fetched ahead of replay: 128 MiB of the usual size."""

FETCHERS = 2

PAUSE_S = 0.01

SCRIPT = """\
# Hands the file $1 of the archive to PostgreSQL as $2, when process $3 has fetched it into here.
to=$PWD/$2
case $2 in /*) to=$2 ;; esac
cd "${0%/*}" || exit 200
printf %s "$1" > asked
until [ -f "ready/$1" ]; do
    [ -f "absent/$1" ] && exit 1
    [ -f failed ] && exit 200
    [ -e "/proc/$3" ] || exit 200
    sleep 0.01
done
: > asked
mv "ready/$1" "$to" || exit 200
"""
"""An exit code above 125 ends the server, which would otherwise take it for the end of the WAL."""

Fetch = Callable[[], bytes]


class Feed:
    """The files of a recovery, by name, and the folder in which they are handed over."""

    def __init__(self, files: Mapping[str, Fetch], folder: Path, owner: Owner) -> None:
        """Prepare to feed a server.

        Args:
            files: what it may ask for, in the order in which it will, and how each is fetched.
            folder: where they are handed over.
            owner: who runs the server.

        """
        self.problem: Exception | None = None
        self._files = files
        self._order = list(files)
        self._folder = folder
        self._owner = owner
        self._placed: dict[str, Future[None]] = {}
        self._next = 0
        self._ended = threading.Event()

    @property
    def command(self) -> str:
        """The server's `restore_command`; when the feed has ended in peace, nothing is there."""
        script = shlex.quote(str(self._folder / "hand.sh")).replace("%", "%%")
        return f'test -e {script} || exit 1; exec sh {script} %f "%p" {os.getpid()}'

    @property
    def asked(self) -> str:
        """The file that the server waits for; nothing while it replays."""
        try:
            return (self._folder / "asked").read_text()
        except FileNotFoundError:
            return ""

    @contextmanager
    def running(self) -> Iterator[None]:
        """Feed the server while the block runs.

        The folder goes with it, unless something could not be fetched: then the server is told to
        end instead of taking what it has for all there is.
        """
        shutil.rmtree(self._folder, ignore_errors=True)
        for path in (self._folder, self._folder / "ready", self._folder / "absent"):
            path.mkdir(mode=0o700)
            self._owner.take(path)
        self._write(self._folder / "hand.sh", SCRIPT.encode())
        with ThreadPoolExecutor(FETCHERS, "feed") as fetchers:
            loop = threading.Thread(target=self._run, args=(fetchers,), name="feed")
            loop.start()
            try:
                yield
            finally:
                self._ended.set()
                loop.join()
        shutil.rmtree(self._folder)

    def _run(self, fetchers: ThreadPoolExecutor) -> None:
        while not self._ended.wait(PAUSE_S):
            try:
                self._step(fetchers)
            except Exception as error:  # noqa: BLE001 - it is raised where the server is awaited
                self.problem = error
                (self._folder / "failed").touch()
                return

    def _step(self, fetchers: ThreadPoolExecutor) -> None:
        """Have what is asked for, and what comes after it, fetched."""
        asked = self.asked
        for placed in self._placed.values():
            if placed.done():
                placed.result()
        if asked and asked not in self._files:
            self._write(self._folder / "absent" / asked, b"")
            return
        self._follow(asked)
        wanted = [asked] if asked else []
        for name in wanted + self._order[self._next : self._next + AHEAD]:
            if name not in self._placed:
                self._placed[name] = fetchers.submit(self._place, name)

    def _follow(self, asked: str) -> None:
        """Move on to what comes after all that was handed over, or to what is asked for."""
        ahead = self._order[self._next : self._next + AHEAD]
        passed = [number for number, name in enumerate(ahead, 1) if self._was_handed_over(name)]
        self._next += max(passed, default=0)
        if asked and self._was_handed_over(asked):
            del self._placed[asked]  # and is wanted again
            self._next = self._order.index(asked)
        elif asked:
            self._next = max(self._next, self._order.index(asked))

    def _was_handed_over(self, name: str) -> bool:
        placed = self._placed.get(name)
        return placed is not None and placed.done() and not self._ready(name).exists()

    def _place(self, name: str) -> None:
        self._write(self._ready(name), self._files[name]())

    def _ready(self, name: str) -> Path:
        return self._folder / "ready" / name

    def _write(self, path: Path, data: bytes) -> None:
        aside = path.with_name(f".{path.name}")
        aside.write_bytes(data)
        self._owner.take(aside)
        aside.rename(path)
