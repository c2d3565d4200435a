"""The drill runbook under a real Prefect API: drilled, reported, scored."""

import pytest

from flows.drill import drill
from tasks.backup.take import take
from tasks.control.errors import Corrupt
from tasks.recovery.drill import faults
from tasks.recovery.drill.standing import checked


@pytest.fixture(scope="module")
def made(platform):
    """Take a backup of a platform with something in it."""
    with platform.server().connect() as connection:
        connection.execute("create table counted as select generate_series(1, 100) n")
    return take(platform)


def test_drills_are_made_reported_and_scored(platform, made, page):
    """The report names point, fault and times; the scoreboard says how sure one may be."""
    assert drill(draws=2, seed=3) == 2
    told = page("drill-report-main")
    assert told.startswith("# PASSED: 2 of 2 drills of stanza main\n")
    assert "found by the checks" in told
    board = page("recoverability-main")
    assert board.startswith("# RECOVERABLE: stanza main, in ")
    assert "95 % sure that at least 22.4 % of the window restores" in board
    plan = page("recovery-plan-main")
    assert plan.startswith("# RECOVERY PLAN WITH GAPS: stanza main: no second repository")
    assert "## The primary is lost" in plan
    folder = platform.home.path / "repository" / "main" / "reports"
    kept = (folder / "recoverability.html").read_text()
    assert "<h1>RECOVERABLE: stanza main, in " in kept
    assert checked(platform, (folder / "evidence.json").read_bytes()) == 2


def test_a_fault_that_nobody_notices_makes_the_run_and_the_scoreboard_red(
    platform, made, page, monkeypatch
):
    """It is kept, too: the last drill did not pass."""
    monkeypatch.setattr(faults, "bring", lambda *_: faults.Fault("nothing", "anything"))
    with pytest.raises(Corrupt, match="unnoticed: nothing"):
        drill(seed=3)
    assert page("drill-report-main").startswith("# NOT PASSED: 0 of 1 drills of stanza main\n")
    board = page("recoverability-main")
    assert board.startswith("# NOT PROVEN RECOVERABLE: stanza main: the last drill did not pass\n")
