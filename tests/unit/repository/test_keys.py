"""Who may write documents: what a signature holds against, and whom a machine believes."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from tasks.control.errors import Corrupt, Refused
from tasks.repository.keys import Keyring


DOCUMENT = {"stanza": "main", "format": 1, "list": [1, {"a": None}], "text": "Größe"}


@pytest.fixture
def keyring(tmp_path):
    """Open a ring without keys."""
    return Keyring(tmp_path / "keys")


def test_what_was_signed_is_believed(keyring):
    """The document comes back as it was."""
    assert keyring.checked("main", keyring.sign(DOCUMENT), "x.json") == DOCUMENT


def test_the_key_is_ours_alone_and_stays(keyring):
    """It is made once, and nobody else can read it."""
    first = json.loads(keyring.sign(DOCUMENT))["key"]
    path = keyring.folder / "seal.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(keyring.folder.stat().st_mode) == 0o700
    assert json.loads(Keyring(keyring.folder).sign(DOCUMENT))["key"] == first


def test_two_that_make_the_key_at_once_get_the_same(keyring):
    """One wins, and both sign with what it made."""
    with ThreadPoolExecutor(8) as pool:
        signed = list(pool.map(lambda _: keyring.sign(DOCUMENT), range(8)))
    assert len({json.loads(each)["key"] for each in signed}) == 1


def test_a_key_that_cannot_be_made_is_told(tmp_path):
    """A full disk, or a file where the directory should be."""
    (tmp_path / "keys").write_bytes(b"")
    with pytest.raises(Refused, match=r"key that signs backups cannot be made; seen: .*keys"):
        Keyring(tmp_path / "keys").sign(DOCUMENT)


def test_a_key_that_was_cut_is_not_replaced_unasked(keyring):
    """What it signed would not be believed any more."""
    keyring.sign(DOCUMENT)
    path = keyring.folder / "seal.key"
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(Refused, match=r"cannot be read; seen: .*seal\.key"):
        keyring.sign(DOCUMENT)
    assert len(path.read_bytes()) == 20


def edited(envelope, **changes):
    """Return an envelope whose document was changed."""
    opened = json.loads(envelope)
    opened["document"] |= changes
    return json.dumps(opened).encode()


def test_an_edited_document_is_named(keyring):
    """One digit is enough."""
    with pytest.raises(Corrupt, match=r"a document was edited; seen: x\.json"):
        keyring.checked("main", edited(keyring.sign(DOCUMENT), format=2), "x.json")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b'{"document": {}, "key": "?", "signature": ""}',
        b'{"document": {}, "key": "QUJD", "signature": "QUJD"}',
        b'{"document": {}, "key": 1, "signature": null}',
    ],
)
def test_what_is_no_envelope_is_named(keyring, data):
    """Whatever lies in its place, it is a failed proof and no broken program."""
    with pytest.raises(Corrupt, match=r"x\.json"):
        keyring.checked("main", data, "x.json")


def test_a_stranger_is_not_believed(keyring, tmp_path):
    """The error gives the line that would make it known."""
    keyring.sign(DOCUMENT)
    stranger = Keyring(tmp_path / "stranger").sign(DOCUMENT)
    with pytest.raises(Corrupt, match=r"not trusted; seen: x\.json: .*add the line 'main ") as told:
        keyring.checked("main", stranger, "x.json")
    line = str(told.value).partition("add the line '")[2].partition("'")[0]
    (keyring.folder / "trusted").write_text(f"{line}\n")
    assert keyring.checked("main", stranger, "x.json") == DOCUMENT


def test_a_key_is_trusted_for_its_stanza_only(keyring, tmp_path):
    """Who may sign for one does not sign for another."""
    stranger = Keyring(tmp_path / "stranger").sign(DOCUMENT)
    keyring.meet("main", stranger)
    assert keyring.checked("main", stranger, "x.json") == DOCUMENT
    with pytest.raises(Corrupt, match="not trusted"):
        keyring.checked("other", stranger, "x.json")


def test_a_bare_machine_keeps_to_the_first_key_that_it_meets(keyring, tmp_path):
    """A second one is a stranger."""
    first, second = (Keyring(tmp_path / name).sign(DOCUMENT) for name in ("a", "b"))
    keyring.meet("main", first)
    keyring.meet("main", second)
    assert keyring.checked("main", first, "x.json") == DOCUMENT
    with pytest.raises(Corrupt, match="not trusted"):
        keyring.checked("main", second, "x.json")


def test_a_machine_with_a_key_of_its_own_meets_nobody(keyring, tmp_path):
    """The host that takes the backups does not come to believe a forger's document."""
    keyring.sign(DOCUMENT)
    keyring.meet("main", Keyring(tmp_path / "forger").sign(DOCUMENT))
    assert not (keyring.folder / "trusted").exists()
