"""The journal: what was done to backups, in signed entries that are only ever appended.

One object an entry, since S3 cannot append: `STANZA/journal/00000/00000001-DIGITS.json`. Its name
holds its number and the first digits of its SHA-256, the entry holds the hash of the one before.

The order of steps tells what a crash leaves from tampering. A document that comes (backup, proof,
pin, legal hold) is written first, then its entry: a signed document without an entry is one that a
kill left, and the next writer adopts it. A document that goes has its entry first: where it is
there still, its removal was begun and not finished. So a document that is missing though an entry
tells of it was lost or taken away; no kill leaves that.

An end that was cut off is seen by a machine that saw more (`journal_cache`), and by what is signed
later: proofs and `reach.json` hold how many entries there were. Who never saw more and finds all of
a repository put back to an earlier time, documents, journal and WAL, sees nothing of it.

A machine that looked before reads only what is new, and one that never did begins at the newest
summary. With 10,000 entries in S3 (rclone, on two busy cores) the first takes 0.3 s, the second at
most 2 s more, and all of them, as a check reads them, 32 s; in a directory 0.04 s and 6 s.
"""

import hashlib
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from tasks.control.errors import Corrupt, OpsError, Refused
from tasks.repository.journal_reader import JournalReader, in_parallel
from tasks.repository.journal_state import Entry, State, folded
from tasks.repository.model import DOCUMENT, ID, BackupId
from tasks.repository.proof import Proof


log = logging.getLogger(__name__)

HOLD = "journal"
"""What who appends holds for the time of it."""

PER_SUMMARY = 500
"""After so many entries a summary is written."""

ADDING_S = 10.0
"""How long to wait for other writers where nothing is lost without the entry."""

REMOVING_S = 30.0
"""How long where nothing may go without it."""

_ID = ID.pattern.removesuffix(r"\Z")

DOCUMENT_NAME = re.compile(
    rf"[^/]+/(?:backups/(?P<backup>{_ID})/(?:backup|proofs/[^/.][^/]*)\.json"
    rf"|(?:pins|legal/held)/(?P<kept>{_ID})\.json"
    rf"|legal/released/(?P<released>{_ID})/[^/.][^/]*\.json)\Z"
)
"""The names of the documents that a journal tells of."""


def is_document(name: str) -> bool:
    """Tell whether an object is called like a document that a journal tells of."""
    return DOCUMENT_NAME.match(name) is not None


@dataclass(frozen=True)
class Journal(JournalReader):
    """The journal of one stanza in one repository."""

    @property
    def length(self) -> int:
        """How many entries there are."""
        return self.read().told.number

    def add(self, entry: Entry) -> None:
        """Append an entry on documents that were just written.

        Where it cannot be done now they are kept all the same: a later writer adopts them.
        """
        try:
            self._append(entry, ADDING_S)
        except OpsError as error:
            what = ", ".join(entry.documents)
            log.warning("%s is not in the journal yet; the next entry adopts it: %s", what, error)

    def announce(self, entry: Entry) -> None:
        """Append an entry on documents that are about to go.

        Raises:
            OpsError: it could not be done; nothing may go then.

        """
        self._append(entry, REMOVING_S)

    def remove_backup(self, backup: BackupId, names: Iterable[str]) -> None:
        """Append an entry on a backup that is about to go; raises as `announce`.

        Args:
            backup: which.
            names: what lies in its place; where no document of it ever did, there is no entry.

        Raises:
            Refused: its document is lost, so that its data may be all that is left of it.

        """
        folder = f"{self.documents.stanza}/backups/{backup}/"
        known, there = (
            self.read().state.below(folder),
            [each for each in names if is_document(each)],
        )
        if f"{folder}{DOCUMENT}" in known and f"{folder}{DOCUMENT}" not in there:
            raise Refused(
                "a backup has lost its document",
                stanza=self.documents.stanza,
                seen=f"no {folder}{DOCUMENT}, of which the journal tells",
                do="hl7ops repository check; copy the backup here again, or accept its loss",
            )
        gone = known | {name: self.documents.digest(name) for name in there}
        if gone:
            self.announce(Entry("removed", backup, gone=gone))

    def document_names(self) -> list[str]:
        """List the names of the documents that are there, whether they can be believed or not."""
        storage, stanza = self.documents.storage, self.documents.stanza
        folders = (f"{stanza}/{folder}/" for folder in ("backups", "pins", "legal"))
        names = (item.name for folder in folders for item in storage.objects(folder))
        return [name for name in names if is_document(name)]

    def digests(self, names: Iterable[str]) -> dict[str, str]:
        """Return the SHA-256 of those of some documents that are there and can be believed."""
        each = sorted(names)
        return {n: sha for n, sha in zip(each, in_parallel(self._digest, each), strict=True) if sha}

    def _digest(self, name: str) -> str:
        try:
            data = self.documents.storage.get(name)
            self.checked_document(name, data)
        except (Corrupt, Refused):
            return ""
        return hashlib.sha256(data).hexdigest()

    def checked_document(self, name: str, data: bytes) -> dict[str, Any]:
        """Return what a document says.

        Raises:
            Corrupt: it is not signed by somebody we trust, or does not lie where it belongs.
            Refused: it is of another version.

        """
        match = DOCUMENT_NAME.match(name)
        document = self.documents.keyring.checked(self.documents.stanza, data, name)
        if match is None or document.get("id", document.get("backup")) not in match.groups():
            raise Corrupt("a document stands in another's place", seen=name)
        if "/proofs/" in name:
            self.documents.parsed(Proof, name, data).require_name(name)
        return document

    def _append(self, entry: Entry, patience_s: float) -> None:
        storage, stanza = self.documents.storage, self.documents.stanza
        with storage.hold(HOLD, shared=False, stanza=stanza, patience_s=patience_s):
            told = self._adopted(self.read().told, entry)
            after = folded(told, [(entry, "")])
            if (after.documents, after.gone) != (
                told.documents,
                told.gone,
            ) or entry.kind == "accepted":
                self._write(told, entry)

    def _adopted(self, told: State, entry: Entry) -> State:
        """Adopt the documents that no entry tells of, but for those that this one is about."""
        names = {name for name in self.document_names() if not told.is_gone(name)}
        found = self.digests(names - (told.documents | entry.documents | entry.gone).keys())
        return self._write(told, Entry("adopted", documents=found)) if found else told

    def _write(self, told: State, entry: Entry) -> State:
        """Write an entry behind the last one, and return the state after it."""
        number, seen = told.number + 1, self.cache.load()
        last = replace(entry, number=number, before=told.sha256)
        data = self.documents.signed(last)
        digest = hashlib.sha256(data).hexdigest()
        self.documents.storage.put(f"{self.folder(number)}{number:08d}-{digest[:16]}.json", data)
        state = folded(told, [(last, digest)])
        if (seen.state.number, seen.state.sha256) == (told.number, told.sha256):
            self.keep(seen, state)
            if number % PER_SUMMARY == 0:
                self.documents.put(self.summary_name(number), state)
        return state
