"""The scoreboard: the worst first, and nothing green that is not proven."""

from dataclasses import replace

import pytest

from reports.recoverability import Board, problems, report
from tasks.repository.cycle import Cycle
from tests.unit.reports.stood import NOW, standing


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


def test_how_much_of_the_cycle_is_compared_stands_on_the_board():
    """Where only a share of the tables is compared each day."""
    known = replace(standing(), cycle=Cycle(7, frozenset(range(6))))
    page = report(Board("main", NOW, 1800, 3600, known))
    assert "| compared | 6 of 7 shares of the tables within 7 days; open: 7 |" in page
    assert "| compared |" not in report(board())


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
