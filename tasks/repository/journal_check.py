"""Hold the journal against itself and against the documents that are there."""

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from tasks.control.clock import readable
from tasks.control.errors import Corrupt, Refused
from tasks.repository.catalogue import Catalogue
from tasks.repository.findings import Inspection
from tasks.repository.journal_cache import CachedState
from tasks.repository.journal_chain import flaws
from tasks.repository.journal_reader import StoredEntry, in_parallel, state_after
from tasks.repository.journal_state import Entry, State, folder_of
from tasks.repository.model import DOCUMENT, ID, BackupId
from tasks.repository.proofs import PROOFS


IN_NAME = ID.pattern.removesuffix(r"\Z")
"""An id in the name of an object."""

JOURNAL = "journal"
"""What findings on the journal itself are about."""


@dataclass(frozen=True)
class Document:
    """A document as it lies there: its hash, and how many entries there were when it was signed.

    One that cannot be believed has no hash; others say why.
    """

    sha256: str
    journal: int


@dataclass
class Losses:
    """What is lost by the journal, and what was said of the journal itself.

    Documents that are missing, with the hashes that they had, and those that took the place of
    others, with their own.
    """

    documents: dict[str, str] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)


class JournalCheck:
    """One look at a journal and at the documents that it tells of."""

    def __init__(self, catalogue: Catalogue, found: Inspection) -> None:
        """Read what was seen, then documents, then the journal, since others may be writing."""
        self.catalogue, self.found = catalogue, found
        self.journal = catalogue.journal
        self.lost = Losses()
        self.seen = self.journal.cache.load()
        names = self.journal.document_names()
        self.there = dict(zip(names, in_parallel(self._look, names), strict=True))
        self.written = self.journal.entries()
        if flaws(self.written):  # what is written while a directory is listed may be listed in part
            self.written = self.journal.entries()
        if self.seen.state.number and self.journal.has_new_claim(self.seen):
            self.seen = CachedState(State())
        self.told = state_after(State(), self.written)
        self.entries: dict[str, Entry] = {}
        self.history: dict[str, set[str]] = {}
        for entry in (each.entry for each in self.written if each.entry):
            for name, digest in entry.documents.items():
                self.entries[name] = entry
                self.history.setdefault(name, set()).add(digest)

    def run(self) -> Collection[str]:
        """Look at the chain of entries, at its end, at what is lost, and at what nobody entered.

        Returns:
            The names of the documents that are lost.

        """
        for said in flaws(self.written):
            self._bad_chain(said)
        self._end()
        if not self.told.number and not self.seen.state.number:
            if self.there:
                self.found.note(JOURNAL, "there is none yet; what is written next begins it")
            return ()
        self._missing()
        for name, document in self.there.items():
            if document.sha256:
                self._present(name, document)
        if not self.lost.findings:
            self.journal.remember(self.seen, self.told, self.written)
        return self.lost.documents

    def _look(self, name: str) -> Document:
        try:
            data = self.catalogue.storage.get(name)
            document = self.journal.checked_document(name, data)
        except (Corrupt, Refused):
            return Document("", 0)
        return Document(hashlib.sha256(data).hexdigest(), int(document.get("journal", 0)))

    def _bad_chain(self, said: str) -> None:
        """Tell what is wrong with the journal; what somebody accepted is only worth knowing."""
        accepted = [e for w in self.written if (e := w.entry) and said in e.findings]
        if accepted:
            last = accepted[-1]
            at = readable(last.at)
            self.found.note(JOURNAL, f"{said}; accepted by {last.by} on {at}: {last.reason}")
            return
        self.lost.findings.append(said)
        self.found.bad(JOURNAL, said)

    def _end(self) -> None:
        """See that the journal ends no earlier than somebody knows."""
        last, seen = self.told.number, self.seen.state
        if seen.number > last:
            self._bad_chain(f"ends with entry {last}, though this machine saw entry {seen.number}")
        elif self._differs(seen):
            self._bad_chain(f"entry {seen.number} is not the one that this machine saw")
        elif cut := max(self._cut(), default=None):
            number, name = cut
            self._bad_chain(f"lost its end: {name} was signed when there were {number} entries")

    def _differs(self, seen: State) -> bool:
        """Tell whether the last entry that this machine saw is another one now."""
        every = [each for each in self.written if each.number == seen.number and each.entry]
        return bool(every) and seen.sha256 not in {each.sha256 for each in every}

    def _cut(self) -> Iterator[tuple[int, str]]:
        """Name what was signed when there were entries that are not there, or are others now."""
        signed = {name: each.journal for name, each in self.there.items()}
        reach = self._reach()
        for name, number in [*signed.items(), ("reach.json", reach)]:
            entry = self.entries.get(name)
            if number > self.told.number or (entry and number >= entry.number):
                yield number, name
        for name, state in self.journal.summaries():
            if self.told.number < state.number or self._differs(state):
                yield state.number, name

    def _reach(self) -> int:
        try:
            reach = self.catalogue.reaches.known()
        except (Corrupt, Refused):
            return 0
        return reach.journal if reach else 0

    def _missing(self) -> None:
        """Name documents that were entered, and neither removed nor are there.

        A cleanup may be going on: what it removes has an entry before it goes.
        """
        expected = self._state(self.written).documents.keys() - self.there.keys()
        if not expected:
            return
        there = set(self.journal.document_names())
        state = self._state(self.journal.entries())
        lost = {name: state.documents[name] for name in expected if name in state.documents}
        self.lost.documents = {name: sha for name, sha in lost.items() if name not in there}
        for folder, names in groupby(sorted(self.lost.documents, key=_rank), folder_of):
            self._lost(folder, [*names], state)

    def _state(self, written: Sequence[StoredEntry]) -> State:
        """Return what should be there, also by entries that this machine saw and that are lost."""
        seen, told = self.seen.state, state_after(State(), written)
        if not seen.number:
            return told
        newer = [each for each in written if each.number > seen.number]
        if any(each.sha256 == seen.sha256 for each in written):
            return state_after(seen, newer)
        return told.joined(seen)

    def _lost(self, folder: str, names: Sequence[str], state: State) -> None:
        """Name the lost documents of one backup, or pins and holds."""
        backup = BackupId(folder.rpartition("/backups/")[2].rstrip("/"))
        document = f"{folder}{DOCUMENT}"
        if document in names and not self._has_trace(backup):
            said = f"is gone as a whole, and was never removed: {self._told(document)}"
            self.found.bad(backup, said)
            return
        newest = max((n for n in state.below(f"{folder}{PROOFS}")), default="")
        for name in names:
            if name != document or not folder:  # else it is damaged, or data without a document
                what = "its newest proof" if name == newest else _kind(name)
                self.found.bad(_backup(name), f"{what} is missing: {self._told(name)}")

    def _has_trace(self, backup: BackupId) -> bool:
        """Tell whether anything of a backup is there, so that it is known to be damaged."""
        kept = self.catalogue.pins.ids() | self.catalogue.legal.ids()
        return backup in kept or bool(self.catalogue.objects(backup))

    def _told(self, name: str) -> str:
        entry = self.entries.get(name)
        if entry is None:
            return f"this machine saw an entry on {name}"
        verdict = f" ({entry.verdict})" if entry.verdict else ""
        return f"entry {entry.number} tells of {name}{verdict}"

    def _present(self, name: str, document: Document) -> None:
        """Look at a document that is there: whether it is the one that was entered last."""
        expected, known = self.told.documents.get(name), self.history.get(name, set())
        if document.sha256 == expected:
            return
        backup = _backup(name)
        if expected is None and self.told.gone.get(folder_of(name)) is not None:
            said = f"its removal was begun and not finished; {name} is there still"
            self.found.note(backup, f"{said}: the next cleanup removes the rest")
        elif expected is None and self.told.gone.get(name) == document.sha256:
            self.found.note(backup, f"its end was begun and not finished; {name} is there still")
        elif document.sha256 in known and (expected or self.told.is_gone(name)):
            self._replaced(name, document, f"an earlier document was put back: {name}")
        elif expected is not None and not name.startswith(f"{self.catalogue.stanza}/pins/"):
            said = f"another document stands in its place: {self._told(name)}"
            self._replaced(name, document, said)
        else:
            self.found.note(backup, f"{name} is not in the journal yet")

    def _replaced(self, name: str, document: Document, said: str) -> None:
        """Name a document that took another's place, unless somebody is just writing it."""
        if self._look(name) == document:
            self.lost.replaced[name] = document.sha256
            self.found.bad(_backup(name), said)


def _rank(name: str) -> tuple[str, str]:
    return folder_of(name), name


def _backup(name: str) -> BackupId:
    match = re.search(IN_NAME, name)
    return BackupId(match[0] if match else name)


def _kind(name: str) -> str:
    kinds = {"/pins/": "its pin", "/legal/held/": "its legal hold", "/released/": "a release"}
    return next((kind for part, kind in kinds.items() if part in name), "a proof")
