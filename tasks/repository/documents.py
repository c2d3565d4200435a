"""Signed documents in a storage: written whole, read strictly, never believed unsigned."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from tasks.control.errors import Corrupt, Refused, Transient
from tasks.repository.keys import Keyring
from tasks.repository.model import FORMAT
from tasks.repository.storage import Storage


F = TypeVar("F")


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """Return what reads a kind of fact; it takes longer to make than to use."""
    return TypeAdapter(kind)


@dataclass(frozen=True)
class Documents:
    """The documents of one stanza in one storage, and the keys that sign and check them."""

    storage: Storage
    stanza: str
    keyring: Keyring

    def signed(self, fact: object) -> bytes:
        """Return the bytes of a fact as a document that we sign."""
        document = to_jsonable_python(asdict(fact))  # type: ignore[call-overload]
        return self.keyring.sign(document)

    def put(self, name: str, fact: object) -> str:
        """Write a fact as a document that we sign; return the SHA-256 of its bytes."""
        data = self.signed(fact)
        self.storage.put(name, data)
        return hashlib.sha256(data).hexdigest()

    def keep(self, name: str, fact: object) -> str:
        """Write a fact, and see that it can be read again; return the SHA-256 of its bytes.

        Raises:
            Transient: the storage said that it kept the document, and has not.

        """
        digest = self.put(name, fact)
        try:
            kept = self.read(type(fact), name)
        except Corrupt:
            kept = None
        if kept != fact:
            raise Transient(
                "the repository did not keep the document",
                stanza=self.stanza,
                seen=f"{name} in {self.storage.place}",
                do="see that it is written by nobody else, and try again",
            )
        return digest

    def digest(self, name: str) -> str:
        """Return the SHA-256 of the bytes of a document; empty where they cannot be read."""
        try:
            return hashlib.sha256(self.storage.get(name)).hexdigest()
        except Corrupt:
            return ""

    def read(self, kind: type[F], name: str) -> F:
        """Read a fact.

        Raises:
            Corrupt: the document is missing, was edited, is signed by a stranger or not complete.
            Refused: it is of another version.

        """
        return self.parsed(kind, name, self.storage.get(name))

    def parsed(self, kind: type[F], name: str, data: bytes) -> F:
        """Read a fact from the bytes of its document; raises as `read`."""
        document = self.keyring.checked(self.stanza, data, name)
        if document.get("format") != FORMAT:
            raise Refused(
                "a document is of another version",
                seen=f"{name}: format {document.get('format')}",
                expected=FORMAT,
                do="use the version of hl7ops that wrote it, or a newer one",
            )
        try:
            fact: F = _adapter(kind).validate_json(json.dumps(document))  # type: ignore[arg-type]
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise Corrupt("a document is not complete", seen=f"{name}: {where}") from None
        return fact
