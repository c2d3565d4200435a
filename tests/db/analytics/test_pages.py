"""Pages of a real platform, where something on them has to be suppressed."""

import pytest

from reports.draft import PAGES
from tasks.analytics import findings
from tasks.analytics.disclosure import ALIVE, KNOWN, figure
from tasks.analytics.rollups.refresh import refresh
from tasks.analytics.suppression.tables import spelled
from tests.db.analytics.conftest import END


@pytest.fixture
def few_dead(populated, ask):
    """Let three have died, so that all less the living would tell how many."""
    ask(
        populated,
        "update hl7.patients set is_deceased = id in (select min(id) + n from hl7.patients,"
        " generate_series(0, 2) n group by n), deceased_at = null returning 1",
    )
    refresh(populated, END)
    return populated


@pytest.mark.parametrize("kind", ["clinical", "executive"])
def test_where_figures_come_from_tells_no_total_that_is_suppressed(few_dead, place, kind):
    """The rows that were read are all patients, who stand in a table above as well."""
    found = findings.gather(place(few_dead), kind, now=END, limit_ms=500)
    shown = found.disclosure
    assert shown.count(figure("deceased")) is None
    assert None in (shown.count(KNOWN), shown.count(ALIVE))
    assert f"| rows, patients | {spelled(shown.count(KNOWN))} |" in PAGES[kind](found)


def test_a_total_that_would_give_the_dead_away_is_suppressed_everywhere(few_dead, place):
    """In the clinical report it is the total that is suppressed, and not the living."""
    found = findings.gather(place(few_dead), "clinical", now=END, limit_ms=500)
    assert found.disclosure.count(KNOWN) is None
    assert "| rows, patients | suppressed |" in PAGES["clinical"](found)
