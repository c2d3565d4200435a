"""The report of a restore: what is warned of and what is lost stands in its first line."""

from dataclasses import replace

import pytest

from reports.restore import Recovery, report
from tasks.postgres.lsn import Segment
from tasks.recovery.planning.plan import Plan
from tasks.recovery.planning.target import parse
from tasks.recovery.planning.way import Way
from tasks.recovery.restoring.restored import Restored
from tasks.repository.history import History
from tests.unit.reports.stood import NOW, SIZE, backup


def recovery(**more):
    """Return a restore that was planned."""
    segments = [Segment(1, 2, SIZE)]
    way = Way(History(1), SIZE, frozenset([2]))
    plan = Plan(parse("latest"), None, [backup()], way, segments, None, None, [], 1, 1, None)
    return Recovery("main", "latest", NOW, replace(plan, **more))


def done(**more):
    """Return a copy."""
    return Restored(
        "main",
        "/copy",
        "/bin",
        "postgres",
        "latest",
        backup().id,
        "the last record",
        "0/1",
        None,
        1,
        {"copy": 1.0},
        NOW,
        **more,
    )


def first(page):
    """Return the first line of a page."""
    return page.partition("\n")[0]


def test_where_nothing_is_to_be_warned_of_nothing_is_said():
    """Neither in the plan nor of the copy."""
    page = report(recovery())
    assert first(page) == "# PLANNED: stanza main to latest; nothing was touched"
    assert "warning" not in page
    made = replace(recovery(), done=done())
    assert first(report(made)) == "# RESTORED: stanza main to latest, read-only"


@pytest.mark.parametrize("is_done", [False, True])
def test_a_warning_stands_in_the_first_line(is_done):
    """And in the first row of the table."""
    warned = {"warnings": ["full-x differs from its seal"]}
    made = recovery(**warned)
    made.done = done(**warned) if is_done else None
    page = report(made)
    assert first(page).endswith("; WARNING: full-x differs from its seal")
    assert "| warning | full-x differs from its seal |" in page


def test_what_was_accepted_is_counted_in_the_first_line_and_named_below():
    """Each loss in a row of its own."""
    made = recovery(accepted=["its bytes failed"])
    assert first(report(made)).endswith("; WARNING: 1 fault accepted")
    made.done = done(accepted=["its bytes failed", "base/1/2 differs"], warnings=["unproven"])
    page = report(made)
    assert first(page).endswith("; WARNING: 2 faults accepted; unproven")
    assert "| accepted | base/1/2 differs |" in page


def test_a_restore_that_broke_off_warns_as_well():
    """The doubt may be the reason."""
    made = recovery(warnings=["unproven"])
    made.error = "gone"
    assert first(report(made)) == "# NOT RESTORED: stanza main; WARNING: unproven"
