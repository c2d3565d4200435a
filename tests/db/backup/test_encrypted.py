"""Encrypted backups end to end: every object is, whoever's key it was, and nothing lies open."""

import shutil
import tempfile
from pathlib import Path

import pyrage
import pytest
from pydantic import SecretStr

from tasks.backup import take
from tasks.control import settings
from tasks.control.errors import Refused, WrongKey
from tasks.recovery.proving.verify import verify
from tasks.repository.check import check
from tasks.repository.stanza import open_stanza
from tests.db.backup.anew import begun_anew


@pytest.fixture(scope="module")
def plain():
    """Open a stanza without encryption, with a table that holds a needle."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-encrypted-"))
    home.chmod(0o755)
    opened = open_stanza(settings.load(hl7ops_home=home, snapshot_compression=0))
    with opened.server().connect() as connection:
        connection.execute("create table needles as select 'Haystack-4711' as name, 1 as n")
    yield opened
    opened.home.primary.stop("immediate")
    shutil.rmtree(home)


def closed(plain, name, *recipients, identities=()):
    """Open the same stanza with another repository, encrypted to some identities."""
    known = {
        "backup_dir": plain.home.path / name,
        "age_recipients": tuple(str(each.to_public()) for each in recipients),
        "age_identity": SecretStr("\n".join(map(str, identities))) if identities else None,
    }
    return begun_anew(plain, **known)


@pytest.fixture(scope="module")
def keys():
    """Make two identities."""
    return [pyrage.x25519.Identity.generate() for _ in range(2)]


def test_nothing_of_an_encrypted_repository_lies_open(plain, keys):
    """Data, WAL, dumps and what a seal measured; documents tell neither rows nor tables."""
    stanza = closed(plain, "closed", keys[0], identities=keys[:1])
    take.take(stanza)
    take.take(stanza, "incremental")
    take.take(stanza, "snapshot")
    for path in stanza.catalogue.storage.root.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"Haystack-4711" not in data, path
            assert b"needles" not in data, path
            is_document = path.suffix == ".json"
            assert is_document or "holds" in path.parts or data.startswith(b"age-encryption.org/v1")
    assert {verify(stanza, each.id).verdict for each in stanza.catalogue.backups()} == {"proven"}


def test_a_chain_of_several_keys_is_read_by_all_of_them_only(plain, keys):
    """F19 of the failures: a change of keys between two links must not make both useless."""
    first = closed(plain, "several", keys[0], identities=keys[:1])
    take.take(first)
    second = closed(plain, "several", keys[1], identities=keys)
    made = take.take(second, "incremental")
    assert verify(second, made.id).verdict == "proven"
    with pytest.raises(WrongKey, match="encrypted to another key"):
        verify(first, made.id)


def test_two_backups_at_once_are_refused_whatever_their_keys(plain, keys):
    """F19: they would share a repository, and neither could be restored."""
    one, other = (closed(plain, "twice", key, identities=[key]) for key in keys)
    hold = one.catalogue.storage.hold
    with hold("backup", shared=False, stanza="main"), pytest.raises(Refused, match="in use"):
        take.take(other)


def test_a_backup_that_lies_open_where_all_should_be_encrypted_is_told(plain, keys):
    """F19: an agent that forgot its keys is seen by a look at the repository."""
    take.take(closed(plain, "open"))
    told = check(closed(plain, "open", keys[0], identities=keys[:1]).catalogue)
    assert told.damage == []
    assert any("is not encrypted: base.tar.zst" in note.said for note in told.notes)


def test_a_machine_with_the_public_key_alone_takes_and_another_one_proves(plain, keys):
    """The backup host cannot read what it keeps; its catalogue and its increments work."""
    host = closed(plain, "host", keys[0])
    take.take(host)
    made = take.take(host, "incremental")
    with pytest.raises(Refused, match="no identity is here"):
        verify(host, made.id)
    assert host.catalogue.proofs(made.id) == []
    assert verify(closed(plain, "host", identities=keys[:1]), made.id).verdict == "proven"
