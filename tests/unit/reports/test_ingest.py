"""The report of an ingest: the first line says whether everything is accounted for."""

from collections import Counter
from datetime import UTC, datetime

from reports.ingest import Load, report
from tasks.hl7.ingest import Counts


BEGUN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def counts(**changed):
    """Return the counts of an ingest in which all went well, but for what is changed."""
    known = {
        "offered": 1200,
        "accepted": 1150,
        "duplicates": 40,
        "quarantined": 10,
        "by_type": Counter({"ORU^R01": 900, "ADT^A01": 250}),
        "reasons": Counter({"no MSH segment": 10}),
        "notes": Counter(),
    }
    return Counts(**(known | changed))


def told(found, error=None):
    """Return the lines of the page."""
    return report(Load("main", BEGUN, found, error)).splitlines()


def test_the_first_line_says_that_all_is_accounted_for():
    """Accepted, duplicates and quarantined add up to what was offered."""
    assert told(counts())[0] == "# ACCOUNTED FOR: 1,200 offered, 10 quarantined"


def test_one_message_too_few_changes_the_first_line():
    """A message that is nowhere is said before anything else."""
    assert told(counts(accepted=1149))[0] == "# NOT ACCOUNTED FOR: 1,200 offered, 10 quarantined"


def test_one_message_too_many_changes_the_first_line():
    """Nor is a message counted twice."""
    assert told(counts(duplicates=41))[0].startswith("# NOT ACCOUNTED FOR")


def test_an_ingest_that_broke_off_says_so_and_why():
    """Without counts there is no table, only the error."""
    assert told(None, "stanza main: the server cannot be reached") == [
        "# NOT LOADED into main",
        "",
        "> stanza main: the server cannot be reached",
    ]


def test_the_totals_stand_in_a_table():
    """What was offered and what became of it, with thousands set apart."""
    lines = told(counts())
    begin = lines.index("|  | messages |")
    assert lines[begin + 2 : begin + 6] == [
        "| offered | 1,200 |",
        "| accepted | 1,150 |",
        "| duplicates | 40 |",
        "| quarantined | 10 |",
    ]


def test_types_and_reasons_are_listed_by_how_often_they_occur():
    """The most frequent first; a list with nothing in it has no heading."""
    page = report(Load("main", BEGUN, counts()))
    assert page.index("| ORU^R01 | 900 |") < page.index("| ADT^A01 | 250 |")
    assert "## Quarantined, and why\n\n| reason | messages |" in page
    assert "| no MSH segment | 10 |" in page
    assert "## Odd, but taken" not in page


def test_what_was_odd_but_taken_is_listed():
    """A note does not keep a message out, and is told all the same."""
    page = report(Load("main", BEGUN, counts(notes=Counter({"unknown segment": 3}))))
    assert (
        "## Odd, but taken\n\n| note | messages |\n| --- | ---: |\n| unknown segment | 3 |" in page
    )
    assert page.endswith("Begun 2026-11-23 02:00:00 UTC.\n")
