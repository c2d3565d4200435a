"""Encryption at rest in the age format (age-encryption.org/v1), which the tool `age` reads too."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import SecretStr

from tasks.control.errors import Refused
from tasks.repository.encryption import Decrypting, Encrypting, undecrypted


SUFFIX = ".age"


@dataclass(frozen=True)
class Cipher:
    """To whom everything is encrypted, and by whose key it is read again.

    Where only `recipients` are set, this machine can keep but not read: what it keeps is proven
    where the identity is.
    """

    recipients: tuple[str, ...] = ()
    identity_file: Path | None = None
    identity: SecretStr | None = field(default=None, repr=False)

    @property
    def suffix(self) -> str:
        """What the names of encrypted objects end in; nothing where nothing is encrypted."""
        return SUFFIX if self.recipients else ""

    @property
    def can_read(self) -> bool:
        """Whether there is an identity, fitting or not."""
        return self.identity is not None or self.identity_file is not None

    def encrypting(self, file: BinaryIO) -> Encrypting:
        """Return a file that encrypts into another; to be closed before that one.

        Raises:
            Refused: a recipient is none.

        """
        return Encrypting(file, [_recipient(text) for text in self.recipients])

    def decrypting(self, file: BinaryIO, name: str) -> Decrypting:
        """Return a file that gives what another one holds encrypted; errors call it by `name`.

        Raises:
            Refused: there is no identity here, or it is none.

        """
        return Decrypting(file, self._identities(name), name)

    def encrypted(self, data: bytes) -> bytes:
        """Return some bytes encrypted, or as they are where nothing is; raises as `encrypting`."""
        if not self.recipients:
            return data
        import pyrage  # noqa: PLC0415

        return bytes(pyrage.encrypt(data, [_recipient(text) for text in self.recipients]))

    def decrypted(self, data: bytes, name: str) -> bytes:
        """Return what some bytes hold, encrypted where the name says so; raises as `decrypting`."""
        if not name.endswith(SUFFIX):
            return data
        import pyrage  # noqa: PLC0415

        identities = self._identities(name)
        try:
            return bytes(pyrage.decrypt(data, identities))
        except (pyrage.DecryptError, OSError) as error:
            raise undecrypted(error, name) from None

    def _identities(self, name: str) -> Sequence[object]:
        texts = [self.identity.get_secret_value()] if self.identity else []
        if self.identity_file is not None:
            try:
                texts.append(self.identity_file.read_text())
            except (OSError, UnicodeDecodeError):
                raise Refused(
                    "the age identity cannot be read",
                    seen=self.identity_file,
                    do="correct AGE_IDENTITY_FILE, or its permissions",
                ) from None
        if not texts:
            raise Refused(
                "what is kept is encrypted, and no identity is here",
                seen=name,
                expected="AGE_IDENTITY_FILE, or an identity in the block",
                do="run it where the identity is",
            )
        return [identity for text in texts for identity in _identities_of(text)]


PLAIN = Cipher()
"""Nothing is encrypted."""


def _recipient(text: str) -> object:
    """Return a recipient of age: a key of its own, or one of ssh."""
    from pyrage import RecipientError, ssh, x25519  # noqa: PLC0415

    kind: Any = ssh if text.startswith("ssh-") else x25519
    try:
        return kind.Recipient.from_str(text)
    except RecipientError:
        raise Refused(
            "that is no recipient of age",
            seen=text[:20],
            expected="a public key that begins with age1 or ssh-",
            do="correct AGE_RECIPIENTS",
        ) from None


def _identities_of(text: str) -> list[object]:
    """Return the identities of a file, as `age-keygen` or `ssh-keygen` writes it."""
    from pyrage import IdentityError, ssh, x25519  # noqa: PLC0415

    lines = [line.strip() for line in text.splitlines()]
    keys = [line for line in lines if line and not line.startswith("#")]
    try:
        if "-----BEGIN" in text:
            return [ssh.Identity.from_buffer(text.encode())]
        return [x25519.Identity.from_str(key) for key in keys]
    except IdentityError:
        raise Refused(
            "that is no identity of age",
            expected="a file of age-keygen, or a private key of ssh without a passphrase",
            do="correct AGE_IDENTITY_FILE or AGE_IDENTITY",
        ) from None
