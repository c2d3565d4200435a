"""The page of a report: each fault blocks publication, and none is quoted."""

import logging
import time

import pytest

from tasks.analytics.gate import reading
from tasks.analytics.gate.check import Verdict, require
from tasks.analytics.gate.disclosure import check_cells
from tasks.analytics.gate.frames import check_frames
from tasks.analytics.gate.page import check_page
from tasks.analytics.suppression.attack import Share
from tasks.analytics.suppression.cells import crossed, named
from tasks.analytics.suppression.protection import protect
from tasks.control.errors import Corrupt, OpsError
from tests.unit.analytics.gate.faults import FAULTS, RIGHT
from tests.unit.analytics.gate.report import NOW, PAGE, RULES, frames, is_known, markdown


def failed(text, known=is_known):
    """Check a page; return the names of what did not pass, with the outcomes."""
    return {c.name: c.outcome for c in check_page(text, PAGE, known) if c.outcome != "pass"}


def test_a_page_that_keeps_its_rules_passes():
    """Suppressed counts, codes that are known, years alone and data URIs are right."""
    assert failed(markdown()) == {}
    require(check_page(markdown(), PAGE, is_known))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_page_blocks_the_report(fault, caplog):
    """The check of that name fails; neither it, nor the log, nor the error quotes the page.

    Without the fault the same page passes, as the first test shows.
    """
    caplog.set_level(logging.DEBUG)
    text, name = FAULTS[fault]
    checks = check_page(text, PAGE, is_known)
    assert Verdict(tuple(checks)).is_blocked
    assert {c.name: c.outcome for c in checks}[f"page: {name}"] == "fail"
    with pytest.raises(Corrupt) as raised:
        require(checks)
    told = repr(checks) + caplog.text + str(raised.value)
    for needle in (
        "Featherstone",
        "featherstone",
        "078-05",
        "0172",
        "00417",
        "19570312",
        "02139",
        "4712",
    ):
        assert needle not in told


@pytest.mark.parametrize("right", RIGHT)
def test_what_reports_show_is_no_false_alarm(right):
    """Times, versions, codes, shares and links for people to follow are right on a page."""
    assert failed(markdown(RIGHT[right])) == {}


VAST = markdown(sex=[("F", "9" * 400, 100)])


def test_a_count_beyond_every_whole_number_is_not_small():
    """It is looked at like any other."""
    name = "page: no small count in Sex, patients"
    found = {c.name: c.outcome for c in check_page(VAST, PAGE, is_known)}
    assert found[name] == "pass"


def test_a_part_of_a_page_that_cannot_be_checked_is_an_error(caplog):
    """Half a character has no bytes; the other parts are checked still, and nothing is quoted."""
    caplog.set_level(logging.DEBUG)
    text = markdown("\ud800 Featherstonehaugh")
    found = failed(text)
    assert found["page: its size, first line and tables can be checked"] == "error"
    assert found["page: no identifier of a patient"] == "fail"
    assert "Featherstone" not in repr(check_page(text, PAGE, is_known)) + caplog.text


def test_a_column_that_is_not_found_is_an_error():
    """A table that was renamed would not be looked at any more."""
    text = markdown().replace("## Sex", "## Gender")
    assert failed(text) == {
        "page: no small count in Sex, active": "error",
        "page: no small count in Sex, patients": "error",
    }


def test_a_database_that_cannot_be_asked_is_an_error(caplog):
    """Nothing is known of the identifiers; the text of what was raised is not told."""

    def broken(tokens):
        raise RuntimeError(f"no answer about {tokens}")

    checks = check_page(markdown("Featherstonehaugh"), PAGE, broken)
    with pytest.raises(OpsError) as raised:
        require(checks)
    assert not isinstance(raised.value, Corrupt)
    assert "Featherstonehaugh" not in repr(checks) + str(raised.value) + caplog.text


def test_numbers_are_not_asked_about_and_runs_of_digits_are():
    """Thousands set apart are a count; a token is cut at its signs as well."""
    read = ["1,234,567 of 12,345.6 (99.12345 %)", "id=MRN4711, O'Neill-Smith a_b 02139", "abcd"]
    assert reading.tokens(read) == [
        "id=MRN4711",
        "MRN4711",
        "Neill-Smith",
        "Neill",
        "Smith",
        "02139",
    ]


def test_cells_know_their_table_and_their_column():
    """Escaped bars belong to the text."""
    text = (
        "## One\n\n| a | b |\n| --- | ---: |\n| x\\|y | 1,204 (5 %) |\n\n## Two\n\n| c |\n|---|\n"
    )
    found = [(cell.heading, cell.column, cell.row, cell.numbers) for cell in reading.cells(text)]
    assert found == [
        ("One", "a", 0, []),
        ("One", "b", 0, []),
        ("One", "a", 1, []),
        ("One", "b", 1, [1204.0]),
        ("Two", "c", 0, []),
    ]


TABLE = crossed({("a",): 5, ("b",): 97, ("c",): 300}, ("kind",))


def test_a_small_count_that_can_be_worked_out_blocks_the_report():
    """Suppressed alone it is the total less the others; with its complement it is safe."""
    safe = protect(TABLE)
    assert check_cells(TABLE, safe).outcome == "pass"
    for off in (frozenset(), frozenset({named(kind="a")})):
        check = check_cells(TABLE, off)
        assert (check.outcome, check.seen) == ("fail", "1 of 4")
        with pytest.raises(Corrupt):
            require([check])


def test_a_share_that_gives_a_count_away_blocks_the_report():
    """The percentage of a suppressed count was shown; one that contradicts the page is an error."""
    safe = protect(TABLE)
    share = Share(named(kind="a"), named(), 1.2, decimals=1)
    assert check_cells(TABLE, safe, [share]).outcome == "fail"
    impossible = Share(named(kind="a"), named(), 99.0)
    assert check_cells(TABLE, safe, [impossible]).outcome == "error"


def test_fifteen_frames_and_a_page_take_less_than_two_seconds():
    """Once Great Expectations is imported."""
    check_frames(frames(), RULES, NOW)
    many = {f"{name}{n}": frame for n in range(4) for name, frame in frames().items()}
    rules = {f"{name}{n}": each for n in range(4) for name, each in RULES.items()}
    rules = {
        name: each if not name.startswith("sex") else type(each)(each.columns)
        for name, each in rules.items()
    }
    started = time.process_time()
    checks = check_frames(many, rules, NOW) + check_page(markdown(), PAGE, is_known)
    assert time.process_time() - started < 2
    assert {check.outcome for check in checks} == {"pass"}
