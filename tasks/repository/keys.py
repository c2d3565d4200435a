"""Who may write documents: our own key, and the keys that this machine has met and trusts."""

import base64
import json
import logging
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tasks.control.errors import Corrupt, Refused


log = logging.getLogger(__name__)

PRIVATE = "seal.key"
TRUSTED = "trusted"


@dataclass(frozen=True)
class Keyring:
    """Signs and checks documents with Ed25519 (RFC 8032).

    A machine trusts its own key and those in `trusted`, one line `STANZA KEY` each. A machine that
    knows neither, such as a bare one on the day of a disaster, takes the key that it first meets in
    the repository, as ssh does with a host, and keeps to it from then on.
    """

    folder: Path

    def sign(self, document: dict[str, Any]) -> bytes:
        """Return the document in an envelope with our signature."""
        private = self._private()
        envelope = {
            "document": document,
            "key": _public(private),
            "signature": base64.b64encode(private.sign(_canonical(document))).decode(),
        }
        return json.dumps(envelope, indent=1, sort_keys=True).encode()

    def checked(self, stanza: str, data: bytes, name: str) -> dict[str, Any]:
        """Return the document of an envelope whose signature holds.

        Args:
            stanza: whose document it is.
            data: the envelope.
            name: what errors call it.

        Raises:
            Corrupt: it is no envelope, is signed by a key that is not trusted, or was edited.

        """
        document, key = _opened(data, name)
        trusted = self._trusted(stanza)
        if key not in trusted:
            raise Corrupt(
                "a document is signed by a key that is not trusted",
                seen=f"{name}: {key}",
                expected=" or ".join(sorted(trusted)) or "a key in keys/trusted",
                do=f"if you know the key, add the line '{stanza} {key}' to {self.folder / TRUSTED}",
            )
        return document

    def meet(self, stanza: str, data: bytes) -> None:
        """Trust the key of a stanza's first document where no key is known for it yet."""
        if self._trusted(stanza):
            return
        _, key = _opened(data, "stanza.json")
        log.warning("stanza %s: trusting key %s on first sight", stanza, key)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / TRUSTED).open("a") as file:
            file.write(f"{stanza} {key}\n")

    def _trusted(self, stanza: str) -> set[str]:
        path = self.folder / TRUSTED
        lines = path.read_text().splitlines() if path.exists() else []
        keys = {
            key
            for name, _, key in (line.strip().partition(" ") for line in lines)
            if name == stanza
        }
        if (self.folder / PRIVATE).exists():
            keys.add(_public(self._private()))
        return keys

    def _private(self) -> Ed25519PrivateKey:
        path = self.folder / PRIVATE
        if not path.exists():
            self._make(path)
        try:
            return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
        except (OSError, ValueError) as error:
            raise Refused(
                "the key that signs backups cannot be read",
                seen=f"{path}: {error}",
                expected="32 bytes that this user may read",
                do="put it back from your copy, or move it aside: a new one is made, to be trusted"
                " where this machine's documents are read",
            ) from None

    def _make(self, path: Path) -> None:
        """Make our key; of two processes that do so at once, one wins."""
        try:
            self._written(path)
        except OSError as error:
            raise Refused(
                "the key that signs backups cannot be made",
                seen=f"{self.folder}: {error.strerror}",
                expected="a directory that can be written",
                do="make room, or set HL7OPS_HOME to another place",
            ) from None

    def _written(self, path: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = path.with_name(f".{PRIVATE}.{uuid.uuid4().hex[:8]}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(Ed25519PrivateKey.generate().private_bytes_raw())
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(aside)
            log.warning("made the key that signs backups; keep a copy of %s", self.folder)
        except FileExistsError:
            log.debug("another process made the key first")
        finally:
            aside.unlink()


def _opened(data: bytes, name: str) -> tuple[dict[str, Any], str]:
    """Return document and key of an envelope whose signature holds."""
    try:
        envelope = json.loads(data)
        document: dict[str, Any] = envelope["document"]
        key = str(envelope["key"])
        signature = base64.b64decode(envelope["signature"], validate=True)
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Corrupt("a document cannot be read", seen=name, expected="signed JSON") from None
    try:
        public.verify(signature, _canonical(document))
    except InvalidSignature:
        raise Corrupt("a document was edited", seen=name, expected="its signature") from None
    return document, key


def _public(private: Ed25519PrivateKey) -> str:
    return base64.b64encode(private.public_key().public_bytes_raw()).decode()


def _canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
