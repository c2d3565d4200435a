"""How a stanza stands after some drills, for the tests of what is told of it."""

from datetime import UTC, datetime, timedelta

from tasks.postgres import lsn
from tasks.recovery.drill.outcome import Drill
from tasks.recovery.drill.score import score
from tasks.recovery.drill.standing import Standing
from tasks.recovery.planning.plan import Base, Window
from tasks.recovery.planning.way import Way
from tasks.repository.history import History
from tasks.repository.model import Backup, BackupId
from tasks.repository.proof import TIERS, Check, Proof
from tasks.repository.seal import Seal


NOW = datetime(2026, 11, 24, tzinfo=UTC)

SIZE = 16 << 20


def backup():
    """Return a backup of yesterday."""
    at = NOW - timedelta(days=1)
    position = lsn.spell(2 * SIZE + 0x120)
    seal = Seal("x", position, at, "locked", 1, {}, 1, 9, 0.1)
    return Backup(
        BackupId("full-20261123T000000Z"),
        "main",
        "full",
        None,
        "7",
        180006,
        at,
        at,
        lsn.spell(2 * SIZE + 0x28),
        position,
        1,
        SIZE,
        [],
        [],
        seal,
        {},
    )


def standing(days=(9, 3), rto_s=1800, **more):
    """Return how a stanza stands after drills some days ago."""
    known = {
        "checks": [Check("boot", "there", "pass")],
        "fault": "a row is gone: t",
        "noticed": True,
        "exposed_s": 30.0,
    } | more
    drills = [
        Drill("main", "local", 1, NOW - timedelta(days=day), seconds={"copy": 100.0}, **known)
        for day in days
    ]
    since = drills[0].started_at if drills else None
    way = Way(History(1), SIZE, frozenset(range(2, 9)))
    proof = Proof(backup().id, "main", NOW, NOW, [Check(t, "x", "pass") for t in TIERS])
    return Standing(
        Window("main", way, [Base([backup()])]),
        score(drills, since, NOW, rto_s),
        drills,
        [(backup(), proof)],
    )
