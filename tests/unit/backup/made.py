"""Backups as retention sees them, made from a few words."""

from datetime import UTC, datetime, timedelta

from tasks.postgres import lsn
from tasks.repository.model import Backup, BackupId, StoredObject
from tasks.repository.seal import Seal


NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)

SEGMENT = 1 << 24


def backup(
    age_days=0,
    kind="full",
    *,
    parent=None,
    system="1",
    timeline=1,
    start=1,
    seal=None,
    stored=100,
    at=None,
):
    """Return a backup that finished so many days ago; positions count whole segments."""
    at = at or NOW - timedelta(days=age_days)
    end = lsn.spell((start if seal is None else seal) * SEGMENT + 0x120)
    return Backup(
        id=BackupId(f"{kind}-{at:%Y%m%dT%H%M%SZ}"),
        stanza="main",
        type=kind,
        parent=parent and parent.id,
        system_identifier=system,
        server_version=180006,
        started_at=at,
        finished_at=at,
        start_lsn=lsn.spell(start * SEGMENT + 0x28),
        stop_lsn=end,
        timeline=timeline,
        segment_bytes=SEGMENT,
        objects=[StoredObject("base.tar.zst", stored, stored, "ab")],
        tablespaces=[],
        seal=Seal("x", end, at, "locked", 1, {}, 0, 0, 0.0),
        phases={},
    )
