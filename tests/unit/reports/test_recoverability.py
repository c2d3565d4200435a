"""The scoreboard: the worst first, and nothing green that is not proven."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reports.recoverability import Board, problems, report
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


def board(**more):
    """Return a board of such a stanza."""
    return Board("main", NOW, 1800, 3600, standing(**more))


def test_what_is_proven_says_how_fast_and_how_sure():
    """In the first line, and in the table below it."""
    page = report(board())
    assert page.startswith("# RECOVERABLE: stanza main, in 1 min 40 s by 2 drills\n")
    assert "95 % sure that at least 22.4 % of the window restores (2 of 2 random drills" in page
    assert "Can be recovered: 2026-11-23 00:00:00.000000 UTC" in page
    assert "not known, not known, 1 h 00 min" in report(board(exposed_s=None))
    assert "| loses (p50, p95, objective) | 30 s, 30 s, 1 h 00 min |" in page
    assert "| full-20261123T000000Z | proven | 0.0 s | objects, manifest, boot" in page
    assert problems(board()) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"days": ()}, "no drill was ever made"),
        ({"days": (30, 3)}, "3 weekly drills missed"),
        ({"noticed": False}, "the last drill did not pass"),
        ({"exposed_s": 7200.0}, "a disaster costs more than 1 h 00 min"),
    ],
)
def test_what_is_not_proven_is_red(more, said):
    """A drill that was missed, did not pass, or was never made."""
    page = report(board(**more))
    assert page.startswith(f"# NOT PROVEN RECOVERABLE: stanza main: {said}")


def test_a_slow_restore_and_an_empty_archive_are_red():
    """The objective is one of the promises."""
    slow = replace(board(), rto_s=60)
    assert problems(slow) == ["restores take longer than 1 min 00 s"]
    nothing = Board("main", NOW, 1800, 3600, replace(standing(), window=None))
    assert problems(nothing) == ["nothing can be recovered"]


def test_a_board_that_could_not_be_made_is_red():
    """Tampering shows there as well."""
    page = report(Board("main", NOW, 1800, 3600, error="the evidence was tampered with"))
    assert page.startswith(
        "# NOT PROVEN RECOVERABLE: stanza main: the scoreboard could not be made"
    )
    assert "> the evidence was tampered with" in page
