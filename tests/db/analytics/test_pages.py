"""Pages of a real platform, where something on them has to be suppressed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reports import plot
from reports.draft import PAGES
from tasks.analytics import findings
from tasks.analytics.gate import gate
from tasks.analytics.gate.check import require
from tasks.analytics.gate.reading import cells, pictures
from tasks.analytics.patients.disclosure import ALIVE, HEADLINES, KNOWN, figure
from tasks.analytics.rollups.refresh import refresh
from tasks.analytics.suppression.attack import disclosed
from tasks.analytics.suppression.cells import named, overlap_within
from tasks.analytics.suppression.protection import protect
from tasks.analytics.suppression.tables import spelled
from tasks.control import clock
from tasks.control.errors import Refused
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


@pytest.mark.parametrize("kind", ["clinical", "executive"])
def test_the_gate_sees_a_total_that_is_shown_though_it_is_suppressed(few_dead, place, kind):
    """The page as it is passes; with the total in one place it does not."""
    found = findings.gather(place(few_dead), kind, now=END, limit_ms=500)
    page = PAGES[kind](found)
    require(gate.checks(few_dead, found, page, END))
    shown = found.disclosure
    count = max({shown.cells.counts[cell] for cell in shown.suppressed} - shown.told)
    wrong = page.replace(
        "| rows, patients |", f"| rows, living patients | {count} |\n| rows, patients |"
    )
    failed = [c.name for c in gate.checks(few_dead, found, wrong, END) if c.outcome != "pass"]
    assert failed == ["page: every count of people may be shown"]


@pytest.mark.parametrize("kind", ["clinical", "executive"])
def test_what_one_report_shows_another_does_not_suppress(few_dead, place, kind):
    """All known less the living would tell the dead, were each of both shown on one page."""
    one, other = (
        findings.gather(place(few_dead), each, now=END, limit_ms=500).disclosure
        for each in (kind, {"clinical": "executive", "executive": "clinical"}[kind])
    )
    both = one.cells.shown & other.cells.shown
    assert {KNOWN, ALIVE} <= both
    assert one.suppressed & both == other.suppressed & both


@pytest.mark.parametrize("kind", ["clinical", "executive"])
def test_headline_figures_are_the_same_everywhere(few_dead, ask, place, kind):
    """Also after patients were found to be one, and visits were cancelled, weeks later."""
    ask(few_dead, "update hl7.encounters set is_cancelled = mod(id, 3) = 0 returning 1")
    ask(few_dead, "update hl7.patients set merged_into = 1 where mod(id, 4) = 0 returning 1")
    refresh(few_dead, END)
    found, beside = (
        findings.gather(place(few_dead), each, now=END, limit_ms=500)
        for each in (kind, "dashboard")
    )
    for kpi, other in zip(found.kpis, beside.kpis, strict=True):
        assert replace(kpi, **dict.fromkeys(other.suppressed)) == replace(
            other, suppressed=frozenset()
        )
    for name, pair in HEADLINES.items():
        (kpi,) = [each for each in found.kpis if each.name == name]
        assert [kpi.value, kpi.before] == found.disclosure.column(pair)
        assert kpi.value


@pytest.mark.parametrize("kind", PAGES)
def test_a_moment_before_anything_happened_is_reported(populated, place, kind):
    """Nothing is no fault: every total is zero, and every table adds up to it."""
    refresh(populated, END)
    early = END - timedelta(days=120)
    found = findings.gather(place(populated), kind, now=early, limit_ms=500)
    require(gate.checks(populated, found, PAGES[kind](found), early))


def test_a_moment_that_has_not_come_is_refused(populated, place):
    """A report tells what was; what is ahead is the forecast's."""
    refresh(populated, END)
    with pytest.raises(Refused, match="has not come"):
        findings.gather(
            place(populated), "dashboard", now=clock.now() + timedelta(hours=1), limit_ms=500
        )


@pytest.fixture
def waiting(few_dead, ask):
    """Let results wait, and few visits be of a class."""
    ask(few_dead, "update hl7.lab_results set result_status = 'P' where mod(id, 3) = 0 returning 1")
    return few_dead


def test_results_that_wait_stand_beside_patients(waiting, place):
    """The total of one is no total of the other."""
    found = findings.gather(place(waiting), "clinical", now=END, limit_ms=500)
    assert len(found.clinical.pending)
    page = PAGES["clinical"](found)
    require(gate.checks(waiting, found, page, END))
    assert "## Results without a final value" in page


def test_what_is_suppressed_tells_nothing_by_its_place(waiting, place):
    """Rows are by name, at the end, or not there; lift tells no total that is not told."""
    found = findings.gather(place(waiting), "clinical", now=END, limit_ms=500)
    page = PAGES["clinical"](found)
    tables = {}
    for cell in cells(page):
        if cell.row:
            tables.setdefault(cell.heading, {}).setdefault(cell.row, []).append(cell.text)
    for heading in ("Visits", "Results without a final value"):
        names = [row[0] for row in tables[heading].values() if row[0] != "all"]
        assert names == sorted(names)
    for heading in ("Diagnoses", "Medications"):
        hidden = [row[2] == "suppressed" for row in tables[heading].values()]
        assert hidden == sorted(hidden)
    assert "suppressed" not in str(tables.get("Together in one patient"))
    assert found.disclosure.count(KNOWN) is not None or " x |" not in page


def test_who_has_neither_of_two_diagnoses_is_protected():
    """Known 100, of whom 60 and 50 have one of them and 15 both: five have neither."""
    known, one, other = (named(), 100), (named(a="a"), 60), (named(b="b"), 50)
    page = overlap_within(named(a="a", b="b"), 15, one, other, known)
    assert disclosed(page, frozenset())
    assert disclosed(page, protect(page)) == {}


def test_codes_stand_in_charts_as_they_are():
    """A decimal of a code is no hundredth of a pixel."""
    drawn = pictures(plot.bars(["S52.501A", "J45.909"], {"patients": [20, 30]}, "a", "patients"))
    assert "S52.501A" in drawn[0]
    assert "J45.909" in drawn[0]


@pytest.mark.parametrize("kind", PAGES)
def test_rows_with_odd_values_stop_no_report(populated, ask, place, kind):
    """Times that no clock shows, a visit that never ends, a value that is no number."""
    for change in (
        "patients set first_seen_at = '-infinity', birth_date = 'infinity'",
        "encounters set admitted_at = '-infinity', discharged_at = 'infinity'",
        "messages set processed_at = 'infinity'",
        "lab_results set value_number = 'NaN'",
    ):
        table = change.partition(" ")[0]
        ask(
            populated,
            f"update hl7.{change} where id = (select min(id) from hl7.{table}) returning 1",
        )
    refresh(populated, END)
    found = findings.gather(place(populated), kind, now=END, limit_ms=500)
    require(gate.checks(populated, found, PAGES[kind](found), END))


@pytest.mark.parametrize("kind", ["performance", "dashboard", "forecast", "anomalies"])
def test_what_needs_no_patients_is_reported_without_their_views(populated, ask, place, kind):
    """The contract lets them be missing."""
    with populated.connect() as connection:
        connection.execute("drop view hl7_contract.patients, hl7_contract.encounters cascade")
    refresh(populated, END)
    found = findings.gather(place(populated), kind, now=END, limit_ms=500)
    require(gate.checks(populated, found, PAGES[kind](found), END))


def test_an_outage_is_no_target_that_is_met(populated, ask, place):
    """Without a message in a day there is no processing time, and the count is no usual one."""
    refresh(populated, END)
    later = END + timedelta(days=2)
    refresh(populated, later)
    found = findings.gather(place(populated), "executive", now=later, limit_ms=500)
    verdict = PAGES["executive"](found).partition("\n")[0]
    assert "ALL TARGETS MET" not in verdict
    assert "WITHOUT DATA, NOT AS EXPECTED" in verdict


@pytest.mark.parametrize("kind", PAGES)
def test_an_empty_platform_is_reported(platform, place, kind):
    """Before the first message there is nothing to say, and no failure."""
    refresh(platform, END)
    found = findings.gather(place(platform), kind, now=END, limit_ms=500)
    page = PAGES[kind](found)
    require(gate.checks(platform, found, page, END))
    assert "ALL TARGETS MET" not in page
