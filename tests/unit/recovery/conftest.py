"""Backups, ways and windows for the tests of plans; segments are of 16 MiB."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.postgres import lsn
from tasks.recovery.planning.plan import Base, Window
from tasks.recovery.planning.way import Way
from tasks.repository.history import History
from tasks.repository.model import Backup, BackupId, StoredObject
from tasks.repository.seal import Seal


SIZE = 16 << 20

BEGUN = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def backup():
    """Return what makes a backup that begins with a segment and stops within it."""

    def make(number, timeline=1, **more):
        at = BEGUN + timedelta(hours=number)
        return Backup(
            id=BackupId(f"full-{at:%Y%m%dT%H%M%SZ}"),
            stanza="main",
            type=more.pop("type", "full"),
            parent=None,
            system_identifier="7",
            server_version=180006,
            started_at=at,
            finished_at=at,
            start_lsn=lsn.spell(number * SIZE + 0x28),
            stop_lsn=lsn.spell(number * SIZE + 0x120),
            timeline=timeline,
            segment_bytes=SIZE,
            objects=[StoredObject("base.tar.zst", 1000, 100, "ab")],
            tablespaces=more.pop("tablespaces", []),
            seal=Seal("x", lsn.spell(number * SIZE + 0x200), at, "locked", 1, {}, 1, 9, 0.1),
            phases={},
        )

    return make


@pytest.fixture
def window():
    """Return what makes a window of some backups and the segments that are kept."""

    def make(backups, numbers, history=None):
        way = Way(history or History(1), SIZE, frozenset(numbers))
        return Window("main", way, [Base([each]) for each in backups])

    return make
