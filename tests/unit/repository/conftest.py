"""A backup, a proof and a catalogue for the tests of the repository."""

from datetime import UTC, datetime

import pytest

from tasks.repository.catalogue import Catalogue
from tasks.repository.keys import Keyring
from tasks.repository.local import LocalStorage
from tasks.repository.model import Backup, BackupId, StoredObject
from tasks.repository.proof import TIERS, Check, Proof
from tasks.repository.seal import Seal


AT = datetime(2026, 11, 23, 2, tzinfo=UTC)


@pytest.fixture
def catalogue(tmp_path):
    """Open an empty catalogue."""
    return Catalogue(LocalStorage(tmp_path / "repository"), "main", Keyring(tmp_path / "keys"))


@pytest.fixture
def backup():
    """Return what makes a backup of an id."""

    def make(name="full-20261123T020000Z", stanza="main"):
        return Backup(
            id=BackupId(name),
            stanza=stanza,
            type="full",
            parent=None,
            system_identifier="7",
            server_version=180006,
            started_at=AT,
            finished_at=AT,
            start_lsn="0/2000028",
            stop_lsn="0/2000120",
            timeline=1,
            segment_bytes=16 << 20,
            objects=[StoredObject("base.tar.zst", 100, 10, "ab"), StoredObject("m", 5, 3, "cd")],
            tablespaces=[],
            seal=Seal("point", "0/3000028", AT, "locked", 1, {"hl7": "7:7:"}, 1, 9, 0.1),
            phases={"copy": 1.0},
        )

    return make


@pytest.fixture
def proof():
    """Return what makes a proof of an outcome at a moment."""

    def make(backup, outcome="pass", at=AT):
        checks = [Check(tier, "looked at", outcome) for tier in TIERS]
        return Proof(backup.id, "main", at, at, checks, dict.fromkeys(TIERS, 1.0))

    return make
