"""What a repository asks of the place where it keeps its objects, whatever that place is."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from tasks.control.clock import readable
from tasks.control.errors import Refused


HOLDS = "holds"
"""Below the stanza: where it stands who is using what."""


@dataclass(frozen=True)
class Stored:
    """A finished object of a storage and its size in bytes."""

    name: str
    bytes: int


@dataclass(frozen=True)
class Foreign:
    """What lies in a storage and is no object of ours: its name, and what it is."""

    name: str
    kind: str


class Storage(Protocol):
    """A place for objects: written whole or not at all, listed, read, deleted and held."""

    @property
    def place(self) -> str:
        """Where it is, for people: a directory, or the address of a bucket."""

    def write(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Yield a file whose contents take the name when the block ends well, durably.

        Raises:
            Refused: the place is full, or does not let us write.
            Transient: it did not do it, and may later; nothing takes the name.

        """

    def put(self, name: str, data: bytes) -> None:
        """Write a small object whole."""

    def open(self, name: str) -> BinaryIO:
        """Open a finished object for reading.

        Raises:
            Corrupt: there is none of that name, or the place does not give it.

        """

    def get(self, name: str) -> bytes:
        """Read a small object whole."""

    def exists(self, name: str) -> bool:
        """Tell whether there is a finished object of that name."""

    def objects(self, prefix: str) -> list[Stored]:
        """List the finished objects below a prefix that ends in a slash, by name."""

    def leftovers(self, prefix: str) -> list[Stored]:
        """List what interrupted writes left behind."""

    def foreign(self, stanza: str) -> list[Foreign]:
        """List what lies below a stanza and is no object, and what lies beside all stanzas."""

    def delete(self, name: str) -> None:
        """Delete an object or a leftover; absent already is fine.

        Raises:
            Refused: the place does not let it go.

        """

    def locked_until(self, name: str) -> datetime | None:
        """Return until when the place itself keeps an object from deletion; None: it does not."""

    def held(self, name: str, *, stanza: str) -> bool:
        """Tell whether somebody holds a name."""

    def hold(
        self, name: str, *, shared: bool, stanza: str, patience_s: float = 0, last: bool = False
    ) -> AbstractContextManager[None]:
        """Hold a name while the block runs; it is let go also when the process dies.

        Args:
            name: what is held, such as a backup that is read.
            shared: whether others may hold it at the same time, who share it too.
            stanza: whose it is.
            patience_s: how long to wait for others to let go.
            last: whether nobody will want it afterwards, such as a backup that is removed.

        Raises:
            Refused: somebody else still holds it.

        """


def see_unlocked(storage: Storage, names: Iterable[str]) -> None:
    """See that the place lets all of some objects go, before the first of them does.

    Raises:
        Refused: it keeps one; names it.

    """
    for name in names:
        until = storage.locked_until(name)
        if until is not None:
            raise Refused(
                "the store keeps an object locked",
                seen=f"{name} in {storage.place}, until {readable(until)}",
                do="wait until then; its lock was set when it was written",
            )


def in_use(name: str, stanza: str, seen: str) -> Refused:
    """Return what is raised where somebody else holds a name."""
    return Refused(
        f"{name} is in use",
        stanza=stanza,
        seen=seen,
        expected="one at a time",
        do="wait until it ends",
    )
