"""Read a journal: what is new since this machine looked last, or all of it."""

import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from tasks.control.errors import Corrupt, Refused
from tasks.repository import claims
from tasks.repository.documents import Documents
from tasks.repository.journal_cache import CachedState, JournalCache
from tasks.repository.journal_state import Entry, State, folded


log = logging.getLogger(__name__)

FOLDER = "journal"

SUMMARIES = "journal-summaries"
"""Beside it: what it says up to some entries, signed, for machines that never looked."""

PER_FOLDER = 1000
"""Entries of a folder: as many as S3 lists at a time, so that the newest are found at once."""

READERS = 16
"""Requests at a time, where there are many."""

_NAME = re.compile(r"/journal/\d{5}/(\d{8})-([0-9a-f]{16})\.json\Z")

_SUMMARY = re.compile(rf"/{SUMMARIES}/\d{{8}}\.json\Z")

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class EntryName:
    """An entry as it is listed: its number, the first digits of its SHA-256, its object's name."""

    number: int
    digits: str
    name: str


@dataclass(frozen=True)
class StoredEntry:
    """An entry as it was read; `problem` says why it cannot be believed."""

    name: str
    number: int
    sha256: str
    entry: Entry | None
    problem: str = ""


@dataclass(frozen=True)
class View:
    """What a journal tells, and the same with what this machine saw of it before.

    They differ where the journal lost its end since then.
    """

    told: State
    state: State


@dataclass(frozen=True)
class JournalReader:
    """Reads the journal of one stanza in one repository."""

    documents: Documents

    @property
    def cache(self) -> JournalCache:
        """What this machine saw of it."""
        place = self.documents.storage.place
        return JournalCache.of(self.documents.keyring.folder, self.documents.stanza, place)

    def read(self) -> View:
        """Read what is new since this machine looked last, or all where it never did.

        Entries that cannot be believed are passed over here; a check names them.
        """
        cached = self.cache.load()
        seen = cached if cached.state.number else CachedState(self._summarized())
        listed = self.listed(seen.state.number)
        if seen.state.number and not continues(seen.state, listed):
            return self._other(seen)
        written = self._read(each for each in listed if each.number > seen.state.number)
        state = state_after(seen.state, written)
        if state.number != cached.state.number:
            self.remember(seen, state, written)
        return View(state, state)

    def entries(self) -> list[StoredEntry]:
        """Read all entries as they lie there, by number."""
        return self._read(self.listed(0))

    def listed(self, first: int) -> list[EntryName]:
        """List the entries from the folder of a number on; 0: all."""
        storage, found = self.documents.storage, []
        if not first:
            found = storage.objects(f"{self.documents.stanza}/{FOLDER}/")
        while first and (more := storage.objects(self.folder(first))):
            found += more
            first += PER_FOLDER
        matches = ((_NAME.search(item.name), item.name) for item in found)
        each = [EntryName(int(match[1]), match[2], name) for match, name in matches if match]
        return sorted(each, key=lambda entry: (entry.number, entry.digits))

    def folder(self, number: int) -> str:
        """Return the folder that an entry lies in."""
        return f"{self.documents.stanza}/{FOLDER}/{(number - 1) // PER_FOLDER:05d}/"

    def has_new_claim(self, seen: CachedState) -> bool:
        """Tell whether the repository was begun anew since it was seen, by somebody we trust."""
        claimed_at = self._claimed_at()
        return bool(claimed_at) and claimed_at != seen.claimed_at

    def remember(self, seen: CachedState, state: State, written: Sequence[StoredEntry]) -> None:
        """Remember a state that whole entries led to, without a gap or a fork.

        Those that somebody accepted, by an entry that tells of them, do not count.
        """
        accepted = [each.number for each in written if each.entry and each.entry.kind == "accepted"]
        first = max([seen.state.number, *accepted])
        numbers = [each.number for each in written if each.entry and each.number > first]
        if numbers == [*range(first + 1, state.number + 1)]:
            self.keep(seen, state)

    def keep(self, seen: CachedState, state: State) -> None:
        """Remember a state in the place of the one that was seen before it."""
        self.cache.keep(CachedState(state, seen.claimed_at or self._claimed_at()))

    def summaries(self) -> Iterator[tuple[str, State]]:
        """Read the signed summaries, newest first; those that cannot be believed are left out."""
        storage, folder = self.documents.storage, f"{self.documents.stanza}/{SUMMARIES}/"
        for item in reversed(storage.objects(folder)):
            try:
                state = self.documents.read(State, item.name)
            except (Corrupt, Refused):
                continue
            if item.name == self.summary_name(state.number):
                yield item.name, state

    def summary_name(self, number: int) -> str:
        """Return the name of the summary up to an entry."""
        return f"{self.documents.stanza}/{SUMMARIES}/{number:08d}.json"

    def _summarized(self) -> State:
        """Return where a machine begins that never looked: at the newest summary that fits."""
        for _, state in self.summaries():
            if continues(state, self.listed(state.number)):
                return state
        return State()

    def _other(self, seen: CachedState) -> View:
        """Read a journal whose last seen entry is gone: it is shorter, or another one."""
        written = self.entries()
        told = state_after(State(), written)
        if self.has_new_claim(seen):
            log.warning("another repository lay in %s before", self.documents.storage.place)
            self.remember(CachedState(State()), told, written)
            return View(told, told)
        return View(told, told.joined(seen.state))

    def _claimed_at(self) -> str:
        try:
            claim = claims.claimed(self.documents)
        except (Corrupt, Refused):
            return ""
        return claim.created_at.isoformat() if claim else ""

    def _read(self, listed: Iterable[EntryName]) -> list[StoredEntry]:
        return in_parallel(self._written, [*listed])

    def _written(self, listed: EntryName) -> StoredEntry:
        digest = ""
        try:
            data = self.documents.storage.get(listed.name)
            digest = hashlib.sha256(data).hexdigest()
            entry = self.documents.parsed(Entry, listed.name, data)
            if entry.number != listed.number or not digest.startswith(listed.digits):
                seen = f"{listed.name} is entry {entry.number}"
                raise Corrupt("an entry stands in another's place", seen=seen)  # noqa: TRY301
        except (Corrupt, Refused) as error:
            return StoredEntry(listed.name, listed.number, digest, None, str(error))
        return StoredEntry(listed.name, listed.number, digest, entry)


def is_entry(name: str) -> bool:
    """Tell whether an object is called like an entry, or like a summary of some."""
    return _NAME.search(name) is not None or _SUMMARY.search(name) is not None


def continues(state: State, listed: Iterable[EntryName]) -> bool:
    """Tell whether the last entry of a state is among those that are there."""
    every = [each for each in listed if each.number == state.number]
    return any(state.sha256.startswith(each.digits) for each in every)


def state_after(state: State, written: Sequence[StoredEntry]) -> State:
    """Return the state after entries that were read; it ends where the last of them does."""
    after = folded(state, _believed(written))
    last = written[-1:]
    return replace(after, number=last[0].number, sha256=last[0].sha256) if last else after


def in_parallel(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Do some requests, several at a time where there are many; return what came, in order."""
    if len(items) < READERS:
        return [work(item) for item in items]
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(work, items))


def _believed(written: Iterable[StoredEntry]) -> Iterator[tuple[Entry, str]]:
    return ((each.entry, each.sha256) for each in written if each.entry)
