"""Encryption at rest: what the tool `age` wrote and reads, and whatever may be wrong with it."""

import shutil
import subprocess
from dataclasses import replace

import pyrage
import pytest
from pydantic import SecretStr

from tasks.control.errors import Corrupt, Refused, Transient
from tasks.repository.cipher import PLAIN, Cipher
from tasks.repository.local import LocalStorage
from tasks.repository.stream import Vault


TEXT = b"every byte of it counts " * 100_000


@pytest.fixture
def identity():
    """Make an identity."""
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def cipher(identity, tmp_path):
    """Return a cipher that can keep and read."""
    (tmp_path / "identity").write_text(f"# created: today\n{identity}\n")
    return Cipher((str(identity.to_public()),), tmp_path / "identity")


@pytest.fixture
def vault(cipher, tmp_path):
    """Open an empty storage in which everything is encrypted."""
    return Vault(LocalStorage(tmp_path / "repository"), cipher)


def keep(vault, data=TEXT, name="a.tar.zst"):
    """Store some bytes in uneven pieces; return what was noted of them."""
    kept = []
    with vault.storing("b/", name, kept) as sink:
        for at in range(0, len(data), 70_001):
            sink.write(data[at : at + 70_001])
    return kept[0]


@pytest.mark.parametrize("data", [b"", b"x", TEXT])
@pytest.mark.parametrize("name", ["a.tar.zst", "a.dump"])
def test_what_goes_in_comes_out(vault, data, name):
    """The name says that it is encrypted, and so it is."""
    item = keep(vault, data, name)
    assert item.name == f"{name}.age"
    assert item.plain_name == name.removesuffix(".zst")
    assert vault.storage.get(f"b/{item.name}").startswith(b"age-encryption.org/v1\n")
    assert vault.read("b/", item) == data


def test_what_is_kept_is_read_by_hand_with_age_and_zstd(vault, cipher, tmp_path):
    """With nothing of ours, as it stands in the README."""
    item = keep(vault)
    assert shutil.which("age"), "the package `age` is not installed"
    assert shutil.which("zstd"), "the package `zstd` is not installed"
    done = subprocess.run(  # noqa: S602 - as the README shows it
        f"age -d -i {cipher.identity_file} {tmp_path}/repository/b/{item.name} | zstd -d",
        shell=True,
        check=True,
        capture_output=True,
    )
    assert done.stdout == TEXT


def test_any_of_several_recipients_can_read(vault, cipher, tmp_path):
    """Each with its own identity, also one of ssh."""
    other = pyrage.x25519.Identity.generate()
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "ssh"], check=True
    )
    line = " ".join((tmp_path / "ssh.pub").read_text().split()[:2])
    both = replace(cipher, recipients=(*cipher.recipients, str(other.to_public()), line))
    item = keep(Vault(vault.storage, both))
    for reader in (
        cipher,
        Cipher(identity=SecretStr(str(other))),
        Cipher(identity_file=tmp_path / "ssh"),
    ):
        assert Vault(vault.storage, reader).read("b/", item) == TEXT


def test_a_machine_with_the_public_key_alone_keeps_but_does_not_read(vault, cipher):
    """It is refused, which says nothing of the backup, and told where to go."""
    keeper = Vault(vault.storage, replace(cipher, identity_file=None))
    item = keep(keeper)
    with pytest.raises(Refused, match=r"encrypted, and no identity is here; .*run it where"):
        keeper.read("b/", item)
    with pytest.raises(Refused, match="encrypted, and no identity is here"):
        keeper.cipher.decrypted(b"x", "w.zst.age")
    assert vault.read("b/", item) == TEXT


def test_another_key_is_corrupt_by_name(vault):
    """What cannot be decrypted by the identity that is there is no backup."""
    item = keep(vault)
    stranger = Cipher(identity=SecretStr(str(pyrage.x25519.Identity.generate())))
    with pytest.raises(Corrupt, match=r"encrypted to another key; seen: a\.tar\.zst\.age"):
        Vault(vault.storage, stranger).read("b/", item)
    packed = vault.cipher.encrypted(b"x")
    with pytest.raises(Corrupt, match=r"encrypted to another key; seen: w\.age"):
        stranger.decrypted(packed, "w.age")


def flipped(data, at):
    """Flip one bit."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


DAMAGE = {
    "flipped in the header": lambda data: flipped(data, 30),
    "flipped in the middle": lambda data: flipped(data, len(data) // 2),
    "flipped in the last byte": lambda data: flipped(data, len(data) - 1),
    "cut short": lambda data: data[:-1],
    "cut to half": lambda data: data[: len(data) // 2],
    "emptied": lambda _: b"",
    "longer": lambda data: data + b"\0",
    "written twice": lambda data: data + data,
    "not encrypted": lambda _: TEXT,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_an_encrypted_object_that_was_damaged_is_named(vault, damage):
    """Whatever happened to it, in a stream and in one piece."""
    item = keep(vault)
    path = vault.storage.root / "b" / item.name
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    with pytest.raises(Corrupt, match=r"a\.tar\.zst\.age"):
        vault.read("b/", item)
    packed = DAMAGE[damage](vault.cipher.encrypted(b"x" * 100_000))
    with pytest.raises(Corrupt, match=r"w\.age"):
        vault.cipher.decrypted(packed, "w.age")


@pytest.mark.parametrize("error", [Transient("busy"), OSError(28, "No space left on device")])
def test_what_breaks_the_file_below_is_told_as_it_is(cipher, error):
    """A full disk or a busy store is not a failed encryption."""

    class Broken:
        def write(self, _data):
            raise error

    encrypting = cipher.encrypting(Broken())
    with pytest.raises(type(error), match=str(error.args[-1])):
        [encrypting.write(TEXT) for _ in range(10)]


def test_a_store_that_breaks_while_it_is_read_is_told_as_it_is(vault, cipher):
    """What is not known is not called corrupt."""
    data = cipher.encrypted(TEXT)

    class Broken:
        def __init__(self):
            self.at = 0

        def read(self, size):
            if self.at > len(data) // 2:
                raise Transient("the store is busy")
            self.at += size
            return data[self.at - size : self.at]

    decrypting = cipher.decrypting(Broken(), "a.age")
    with pytest.raises(Transient, match="the store is busy"):
        list(iter(lambda: decrypting.read(1 << 16), b""))
    decrypting.close()


def test_an_object_that_breaks_off_leaves_nothing(vault):
    """Neither an object nor a thread that waits."""
    kept = []

    def breaks_off():
        with vault.storing("b/", "a.tar.zst", kept) as sink:
            sink.write(TEXT)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        breaks_off()
    assert kept == vault.storage.objects("b/") == vault.storage.leftovers("b/") == []


def test_a_reader_who_stops_early_still_learns_of_damage_behind(vault):
    """A tar ends before its file does."""
    item = keep(vault)
    path = vault.storage.root / "b" / item.name
    path.write_bytes(flipped(path.read_bytes(), len(path.read_bytes()) - 5))
    with pytest.raises(Corrupt, match=r"a\.tar"), vault.reading("b/", item) as source:
        source.read(10)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"recipients": ("age1nonsense",)}, "no recipient of age; seen: age1nonsense"),
        ({"recipients": ("ssh-ed25519 nonsense",)}, "no recipient of age"),
        ({"identity": SecretStr("AGE-SECRET-KEY-NONSENSE")}, "no identity of age"),
    ],
)
def test_keys_that_are_none_are_refused(vault, cipher, changes, said):
    """A secret is not quoted."""
    wrong = replace(cipher, **changes)
    with pytest.raises(Refused, match=said) as raised:
        Vault(vault.storage, wrong).read("b/", keep(Vault(vault.storage, wrong)))
    assert "NONSENSE" not in str(raised.value)


def test_an_identity_that_cannot_be_read_is_refused_by_its_path(cipher, tmp_path):
    """With the setting to correct."""
    lost = replace(cipher, identity_file=tmp_path / "lost")
    with pytest.raises(Refused, match=r"identity cannot be read; .*lost; .*AGE_IDENTITY_FILE"):
        lost.decrypted(lost.encrypted(b"x"), "w.age")


def test_nothing_is_encrypted_without_recipients():
    """And what is not is read without an identity."""
    assert PLAIN.suffix == ""
    assert PLAIN.decrypted(PLAIN.encrypted(b"x"), "w.zst") == b"x"
