"""Whom a repository belongs to, also where the document that says so is lost or damaged."""

import pytest

from tasks.control.errors import Corrupt, Refused
from tasks.postgres.lsn import Segment
from tasks.repository import claims
from tasks.repository.catalogue import Catalogue
from tasks.repository.keys import Keyring


LOST = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "edited": lambda path: path.write_bytes(path.read_bytes().replace(b'"7"', b'"8"', 1)),
}


@pytest.fixture
def kept(catalogue, backup):
    """Put a backup into a repository that is claimed."""
    catalogue.claim("7", 16 << 20)
    made = backup()
    for item in made.objects:
        catalogue.storage.put(f"{catalogue.prefix(made.id)}{item.name}", b"x")
    catalogue.add(made)
    return catalogue


def claim_of(catalogue):
    """Return where the document lies."""
    return catalogue.storage.root / "main" / "stanza.json"


@pytest.mark.parametrize("loss", LOST)
def test_a_backup_tells_it_where_the_document_does_not(kept, loss, tmp_path):
    """What is kept can be listed and restored, on a machine that knows no key as well."""
    LOST[loss](claim_of(kept))
    bare = Catalogue(kept.storage, "main", Keyring(tmp_path / "bare"))
    for each in (kept, bare):
        found = each.claimed()
        assert (found.system_identifier, found.segment_bytes) == ("7", 16 << 20)
        assert len(each.backups()) == 1


@pytest.mark.parametrize("loss", LOST)
def test_the_next_backup_writes_it_anew_and_no_other_cluster_does(kept, loss):
    """It is whole then, and says what it said."""
    LOST[loss](claim_of(kept))
    with pytest.raises(Refused, match="belongs to another cluster"):
        kept.claim("8", 16 << 20)
    kept.claim("7", 16 << 20)
    assert claims.stored(kept.documents).system_identifier == "7"


def test_without_a_backup_a_damaged_document_stays_one(catalogue):
    """Nobody knows whom the repository belongs to."""
    catalogue.claim("7", 16 << 20)
    claim_of(catalogue).write_bytes(b"")
    with pytest.raises(Corrupt):
        catalogue.claimed()


def test_a_stranger_s_backup_tells_nothing(kept, tmp_path):
    """It is signed by a key that this machine does not trust."""
    known = Catalogue(kept.storage, "main", Keyring(tmp_path / "other"))
    known.keyring.sign({"a key": "of its own"})
    claim_of(kept).unlink()
    assert known.claimed() is None


def test_how_far_wal_reached_is_begun_anew_where_its_document_is_damaged(kept):
    """A backup is not kept away by it; a check has named it."""
    kept.reaches.note(Segment(1, 5, 16 << 20))
    path = kept.storage.root / "main" / "reach.json"
    path.write_bytes(b"{")
    with pytest.raises(Corrupt):
        kept.reaches.known()
    kept.reaches.note(Segment(1, 6, 16 << 20))
    assert kept.reaches.known().position == "0/6000000"
