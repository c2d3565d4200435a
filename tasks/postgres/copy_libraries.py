"""Libraries that a source preloads: which are here, and which a copy can run with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


WORKERS = (b"RegisterBackgroundWorker", b"RegisterDynamicBackgroundWorker")
"""What a library calls that starts processes of its own."""

RESOURCE_MANAGER = b"RegisterCustomRmgr"
"""What a library calls without which WAL of its own cannot be replayed."""


@dataclass(frozen=True)
class Libraries:
    """The libraries that a source preloads, and the directory of the programs that load them."""

    names: Sequence[str]
    tools: Path

    @property
    def missing(self) -> list[str]:
        """The libraries that are not here."""
        return [name for name in self.names if self._file(name) is None]

    def loaded(self, *, hot_standby: bool) -> list[str]:
        """Return the libraries that are here, and none whose processes could not be held back.

        Hot standby demands room for as many processes as the source has, so that there those that
        start some are left out, unless WAL cannot be replayed without them.
        """
        return [
            name
            for name in self.names
            if (path := self._file(name))
            and not (hot_standby and _calls(path, *WORKERS) and not _calls(path, RESOURCE_MANAGER))
        ]

    def have_workers(self, *, hot_standby: bool) -> bool:
        """Tell whether a library that is loaded starts processes of its own."""
        files = (self._file(name) for name in self.loaded(hot_standby=hot_standby))
        return any(path is not None and _calls(path, *WORKERS) for path in files)

    def _file(self, name: str) -> Path | None:
        """Return the file of a library of this installation; one from elsewhere is not run."""
        here = self.tools.parent / "lib"
        places = (folder / f"{name}.so" for folder in (here, here / "postgresql"))
        return next((path for path in places if "/" not in name and path.exists()), None)


def named(setting: str) -> list[str]:
    """Return the names in a list of libraries, as `shared_preload_libraries` has it."""
    names = (name.strip(' "').removeprefix("$libdir/") for name in setting.split(","))
    return [name for name in names if name]


def _calls(path: Path, *functions: bytes) -> bool:
    """Tell whether a library names a function of the server."""
    data = path.read_bytes()
    return any(name in data for name in functions)
