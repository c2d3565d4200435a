"""What a journal says: its entries, and which documents should be there after them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import ConfigDict

from tasks.control import clock
from tasks.repository.model import DOCUMENT, FORMAT, BackupId


Kind = Literal[
    "adopted",
    "taken",
    "verified",
    "pinned",
    "unpinned",
    "held",
    "released",
    "removed",
    "copied",
    "accepted",
]
"""`adopted`: documents that were there before an entry told of them. `accepted`: a person accepts
that documents are lost, or that entries are."""

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Entry:
    """One entry: what happened to which backup, and the documents that came and went with it.

    `documents` and `gone` map the name of an object to the SHA-256 of its bytes; `before` is that
    of the entry before, and empty in the first. `verdict` is that of a verification, `source` where
    a copy came from, `reason` and `by` are those of whoever accepted a loss, `findings` what a
    check said of the journal itself before.
    """

    __pydantic_config__ = _STRICT

    kind: Kind
    backup: BackupId | None = None
    documents: dict[str, str] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)
    verdict: str | None = None
    source: str | None = None
    reason: str | None = None
    by: str | None = None
    findings: list[str] = field(default_factory=list)
    number: int = 0
    before: str = ""
    at: datetime = field(default_factory=clock.now)
    format: int = FORMAT


@dataclass(frozen=True)
class State:
    """What a journal says up to an entry: the documents that should be there, and what went.

    `gone` holds removed backups, by the folder of their objects, and pins and legal holds that
    ended, by their names; each with the SHA-256 of the document that went.
    """

    __pydantic_config__ = _STRICT

    number: int = 0
    sha256: str = ""
    documents: dict[str, str] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT

    def is_gone(self, name: str) -> bool:
        """Tell whether a document went, by itself or with its backup."""
        return name in self.gone or folder_of(name) in self.gone

    def below(self, folder: str) -> dict[str, str]:
        """Return the documents that should be in a folder."""
        return {name: sha for name, sha in self.documents.items() if name.startswith(folder)}

    def joined(self, other: "State") -> "State":
        """Return what should be there by both of two states, of which neither follows the other."""
        ours = {n: sha for n, sha in self.documents.items() if not other.is_gone(n)}
        theirs = {n: sha for n, sha in other.documents.items() if not self.is_gone(n)}
        return State(self.number, self.sha256, theirs | ours, other.gone | self.gone)


def folder_of(name: str) -> str:
    """Return the folder of the backup that an object belongs to; empty where it is none's."""
    stanza, _, rest = name.partition("/backups/")
    backup = rest.partition("/")[0]
    return f"{stanza}/backups/{backup}/" if backup else ""


def folded(state: State, entries: Iterable[tuple[Entry, str]]) -> State:
    """Return the state after some more entries.

    Args:
        state: before them.
        entries: in their order, each with the SHA-256 of its bytes.

    """
    documents, gone = dict(state.documents), dict(state.gone)
    number, sha256 = state.number, state.sha256
    for entry, digest in entries:
        _apply(entry, documents, gone)
        number, sha256 = entry.number, digest
    return State(number, sha256, documents, gone)


def _apply(entry: Entry, documents: dict[str, str], gone: dict[str, str]) -> None:
    for name, digest in entry.documents.items():
        documents[name] = digest
        gone.pop(name, None)
        gone.pop(folder_of(name), None)
    for name in entry.gone:
        documents.pop(name, None)
    for name, digest in _went(entry).items():
        gone[name] = digest
        if name.endswith("/"):
            for each in [each for each in documents if each.startswith(name)]:
                del documents[each]


def _went(entry: Entry) -> Mapping[str, str]:
    """Return what is remembered of what went: a removed backup by its folder, others by name."""
    if entry.kind in ("unpinned", "released"):
        return entry.gone
    if entry.kind != "removed":
        return {}
    folders = {folder_of(name): "" for name in entry.gone}
    known = ((folder, entry.gone.get(f"{folder}{DOCUMENT}", "")) for folder in folders)
    return dict(known)
