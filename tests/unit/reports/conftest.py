"""One backup, and proofs of it, for the tests of reports."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.repository.model import Backup, BackupId, StoredObject
from tasks.repository.proof import TIERS, Check, Proof
from tasks.repository.seal import Seal


BEGUN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)

NAME = BackupId("full-20261123T020000Z")


@pytest.fixture
def backup():
    """Return a backup of two tables that took 75 seconds."""
    seal = Seal(
        restore_point=f"{NAME}-locked-1",
        lsn="0/5000110",
        taken_at=BEGUN,
        mode="locked",
        attempts=1,
        snapshots={"hl7": "800:800:"},
        tables=2,
        rows=1234,
        seconds=0.5,
        held_ms=4.2,
    )
    return Backup(
        id=NAME,
        stanza="main",
        type="full",
        parent=None,
        system_identifier="7",
        server_version=180006,
        started_at=BEGUN,
        finished_at=BEGUN + timedelta(seconds=75),
        start_lsn="0/3000028",
        stop_lsn="0/4000050",
        timeline=1,
        segment_bytes=16 << 20,
        objects=[StoredObject("base.tar.zst", 52_000_000, 9_400_000, "0" * 64)],
        tablespaces=[],
        seal=seal,
        phases={"reserve WAL": 0.3, "copy": 4.0},
    )


@pytest.fixture
def prove():
    """Return what makes a proof: a check passes in every tier, unless other checks are given."""

    def made(*checks):
        checks = list(checks) or [Check(tier, f"check of {tier}", "pass") for tier in TIERS]
        seconds = {"objects": 1.0, "boot": 2.5}
        return Proof(NAME, "main", BEGUN, BEGUN + timedelta(seconds=9), checks, seconds)

    return made
