"""A restored copy at its place: looked at, promoted on purpose, stopped, or undone."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from tasks.control import clock
from tasks.control.errors import Corrupt, Refused
from tasks.postgres.auto_conf import give_back
from tasks.postgres.cluster import Cluster, socket_directory
from tasks.postgres.copy_configuration import Configuration
from tasks.postgres.owner import owner_of
from tasks.postgres.server import Server


PORT = 5432

DOCUMENT = "restored.json"


@dataclass(frozen=True)
class Restored:
    """What was restored, where to, where recovery ended, and what was there before.

    Args:
        stanza: of which cluster.
        path: of the data directory.
        programs: the directory of the programs that serve it.
        superuser: the role that made the cluster.
        target: what was asked for.
        backup: the backup that WAL was replayed on.
        stop: the record that recovery ended at, for people.
        lsn: how far it has replayed.
        last_transaction_at: when the last transaction that it replayed ended; None: it saw none.
        timeline: on which it ended, before it was promoted.
        seconds: how long each phase took.
        restored_at: when it was done.
        previous: where the directory is that was there before; None: there was none.
        is_promoted: whether it can be written, and goes its own way.
        tablespaces: directories of its tablespaces, which are its own.
        differences: in what it differs from its seal, as somebody has accepted.
        left_out: what belongs to tables of a snapshot and needs more than was wanted.
        warnings: what was not known of the backup, or found in comparing it.
        accepted: bytes that failed or were missing, as somebody has accepted, and what was lost.

    """

    stanza: str
    path: str
    programs: str
    superuser: str
    target: str
    backup: str
    stop: str
    lsn: str
    last_transaction_at: datetime | None
    timeline: int
    seconds: dict[str, float]
    restored_at: datetime
    previous: str | None = None
    is_promoted: bool = False
    tablespaces: Sequence[str] = ()
    differences: Sequence[str] = field(default_factory=list)
    left_out: Sequence[str] = field(default_factory=list)
    warnings: Sequence[str] = field(default_factory=list)
    accepted: Sequence[str] = field(default_factory=list)

    @property
    def beside(self) -> Path:
        """The folder beside the data directory: this document, the socket, and who is let in."""
        return beside(Path(self.path))

    @property
    def cluster(self) -> Cluster:
        """The copy as a cluster with its own socket."""
        sockets = socket_directory(self.beside, PORT)
        log = self.beside / "server.log"
        return Cluster(Path(self.path), sockets, PORT, Path(self.programs), log, is_copy=True)

    def configuration(
        self, source: Mapping[str, str] | None = None, home: Path | None = None
    ) -> Configuration:
        """Return what the copy is started with, as `Scratch.configuration` does."""
        path = Path(self.path)
        return Configuration(
            path, Path(self.programs), owner_of(path), self.beside, source or {}, home
        )

    @property
    def server(self) -> Server:
        """Where the copy's superuser reaches it."""
        return self.cluster.server(self.stanza, superuser=self.superuser)

    def keep(self) -> None:
        """Write it down beside the data directory."""
        owner = owner_of(Path(self.path))
        self.beside.mkdir(mode=0o700, exist_ok=True)
        owner.take(self.beside)
        aside = self.beside / f".{DOCUMENT}"
        aside.write_bytes(to_json(self, indent=1))
        aside.rename(self.beside / DOCUMENT)


def beside(path: Path) -> Path:
    """Return the folder beside a data directory that holds what is ours."""
    return path.with_name(f"{path.name}.restored")


def exists(path: Path) -> bool:
    """Tell whether something was restored into a directory."""
    return (beside(path) / DOCUMENT).exists()


def find(path: Path) -> Restored:
    """Return what was restored into a directory.

    Raises:
        Refused: nothing was.
        Corrupt: its document cannot be read.

    """
    document = beside(path) / DOCUMENT
    if not exists(path):
        raise Refused(
            "nothing was restored there",
            seen=f"no {document}",
            expected="the directory that `hl7ops restore --to` was given",
        )
    try:
        found = TypeAdapter(Restored).validate_json(document.read_bytes())
    except ValidationError:
        raise Corrupt("the document of a restored copy cannot be read", seen=document) from None
    return replace(found, path=str(path))  # it may have been moved since


def promote(copy: Restored) -> Restored:
    """Let a paused copy become a cluster of its own, on a new timeline.

    Raises:
        Refused: it is one already, or does not run.

    """
    if copy.is_promoted or copy.cluster.pid() is None:
        raise Refused(
            "the copy cannot be promoted",
            stanza=copy.stanza,
            seen="it was promoted" if copy.is_promoted else "it does not run",
            expected="a copy that is paused where recovery ended",
            do="start it as any server" if copy.is_promoted else "restore it anew with --promote",
        )
    with copy.server.connect(statement_timeout_s=3600) as connection:
        connection.execute("select pg_promote(true, 3600)")
        connection.execute("checkpoint")
    done = replace(copy, is_promoted=True)
    done.keep()
    return done


def stop(copy: Restored) -> bool:
    """Stop a copy, so that it can be started as any server is; return whether it ran."""
    ran = copy.cluster.stop()
    give_back(Path(copy.path))
    return ran


def undo(copy: Restored) -> Path:
    """Put the directory back that was there before; return where the copy is now.

    Raises:
        Refused: there was none.

    """
    if copy.previous is None or not Path(copy.previous).is_dir():
        raise Refused(
            "there is nothing to put back",
            stanza=copy.stanza,
            seen=f"{copy.path} was restored at {clock.readable(copy.restored_at)}",
            expected="a directory that was moved aside by --replace",
        )
    stop(copy)
    path = Path(copy.path)
    aside = path.with_name(f"{path.name}.undone-{clock.stamp(clock.now())}")
    swap(path, aside)
    swap(Path(copy.previous), path)
    return aside


def remove(path: Path) -> None:
    """Remove a copy that nobody wants any more, with all that lies beside it; absent is fine."""
    spaces: list[Path] = []
    if exists(path):
        copy = find(path)
        copy.cluster.stop("immediate")
        spaces = [Path(space) for space in copy.tablespaces]
    for each in (*spaces, path, beside(path)):
        shutil.rmtree(each, ignore_errors=True)
    for folder in {space.parent for space in spaces if ".tablespaces-" in space.parent.name}:
        folder.rmdir()


def swap(path: Path, to: Path) -> None:
    """Give a data directory another name, and to what is beside it."""
    path.rename(to)
    if beside(path).exists():
        beside(path).rename(beside(to))
