"""A seal beside a copy: what is laid side by side, and which rows do not stand as they should."""

from dataclasses import replace

import pytest

from tasks.recovery.proving.comparison import Comparison, Row, comparisons
from tasks.recovery.proving.expectations import differing
from tasks.repository.seal import Fact, Fingerprint, TableSeal


MESSAGES = TableSeal("hl7", "hl7.messages", 900, "41", "2026-11-22 23:59:00")

PATIENTS = TableSeal("hl7", "hl7.patients", 34, "7", None)

STATUS = Fact("messages of each status", "hl7: S", 880)

SOURCE = Fingerprint(
    tables=[MESSAGES, PATIENTS],
    sequences={"hl7.hl7.messages_id_seq": 900},
    structure={"hl7: index hl7.messages_pkey": "ab"},
    facts=[STATUS],
    rules=[],
)


def differences(copy, sealed=SOURCE, mode="locked"):
    """Return the names of the comparisons in which some subject differs, with the subjects."""
    found = {each.name: differing(each) for each in comparisons(mode, sealed, copy)}
    return {name: subjects for name, subjects in found.items() if subjects}


def with_tables(*tables):
    """Return the source's measure with other tables."""
    return replace(SOURCE, tables=list(tables))


def test_an_equal_copy_has_no_difference():
    """Every kind is compared, and nothing is found."""
    assert differences(SOURCE) == {}
    assert [each.name for each in comparisons("locked", SOURCE, SOURCE)] == [
        "tables",
        "row counts",
        "contents",
        "newest timestamps",
        "structure",
        "sequences",
        "messages of each status",
    ]


EXACT = {
    "a table that is missing": (with_tables(MESSAGES), {"tables": "hl7.hl7.patients"}),
    "a table that was not there": (
        with_tables(MESSAGES, PATIENTS, TableSeal("hl7", "hl7.more", 0, "0", None)),
        {"tables": "hl7.hl7.more"},
    ),
    "a row less": (
        with_tables(replace(MESSAGES, rows=899), PATIENTS),
        {"row counts": "hl7.hl7.messages"},
    ),
    "a row more": (
        with_tables(replace(MESSAGES, rows=901), PATIENTS),
        {"row counts": "hl7.hl7.messages"},
    ),
    "another digest": (
        with_tables(MESSAGES, replace(PATIENTS, digest="8")),
        {"contents": "hl7.hl7.patients"},
    ),
    "another newest timestamp": (
        with_tables(replace(MESSAGES, newest="2026-11-22 22:59:00"), PATIENTS),
        {"newest timestamps": "hl7.hl7.messages"},
    ),
    "no newest timestamp": (
        with_tables(replace(MESSAGES, newest=None), PATIENTS),
        {"newest timestamps": "hl7.hl7.messages"},
    ),
    "an index that is missing": (
        replace(SOURCE, structure={}),
        {"structure": "hl7: index hl7.messages_pkey"},
    ),
    "an index that is built otherwise": (
        replace(SOURCE, structure={"hl7: index hl7.messages_pkey": "cd"}),
        {"structure": "hl7: index hl7.messages_pkey"},
    ),
    "a role that was not there": (
        replace(SOURCE, structure={**SOURCE.structure, "role guest": "ef"}),
        {"structure": "role guest"},
    ),
    "a sequence that is behind": (
        replace(SOURCE, sequences={"hl7.hl7.messages_id_seq": 899}),
        {"sequences": "hl7.hl7.messages_id_seq"},
    ),
    "a sequence that is missing": (
        replace(SOURCE, sequences={}),
        {"sequences": "hl7.hl7.messages_id_seq"},
    ),
    "a fact with another count": (
        replace(SOURCE, facts=[replace(STATUS, value=879)]),
        {"messages of each status": "hl7: S"},
    ),
    "a fact that is missing": (
        replace(SOURCE, facts=[]),
        {"messages of each status": "hl7: S"},
    ),
    "a fact of a kind that was not sealed": (
        replace(SOURCE, facts=[STATUS, Fact("messages of each type", "hl7: ADT", 1)]),
        {"messages of each type": "hl7: ADT"},
    ),
}


@pytest.mark.parametrize("change", EXACT)
def test_every_change_is_named_and_nothing_else(change):
    """Each kind of difference shows in its own comparison, by the name of its subject."""
    copy, expected = EXACT[change]
    assert differences(copy) == expected


def test_a_sequence_may_be_ahead_of_its_seal():
    """PostgreSQL writes sequences ahead to the WAL, so a copy may have skipped some values."""
    assert differences(replace(SOURCE, sequences={"hl7.hl7.messages_id_seq": 932})) == {}


LOOSE = with_tables(replace(MESSAGES, stable_rows=880), PATIENTS)


@pytest.mark.parametrize("rows", [880, 890, 900])
def test_a_bounded_seal_holds_between_its_bounds(rows):
    """Rows that went while it was taken may be there or not; digest and facts may differ then."""
    copy = replace(with_tables(replace(MESSAGES, rows=rows, digest="?"), PATIENTS), facts=[])
    assert differences(copy, LOOSE, "bounded") == {}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (879, {"rows that must be there": "hl7.hl7.messages"}),
        (901, {"rows that may be there": "hl7.hl7.messages"}),
    ],
)
def test_a_bounded_seal_is_broken_outside_of_its_bounds(rows, expected):
    """One row too few and one too many are both found."""
    assert (
        differences(with_tables(replace(MESSAGES, rows=rows), PATIENTS), LOOSE, "bounded")
        == expected
    )


def test_a_bounded_seal_misses_a_table_that_is_not_there():
    """A loose table that is gone is missing from the tables and below its bound."""
    found = differences(with_tables(PATIENTS), LOOSE, "bounded")
    assert found["tables"] == "hl7.hl7.messages"
    assert found["rows that must be there"] == "hl7.hl7.messages"


def test_a_table_whose_rows_all_stayed_must_be_equal_under_a_bounded_seal():
    """Where no row of the snapshot went, its contents are known exactly."""
    sealed = with_tables(replace(MESSAGES, stable_rows=900), PATIENTS)
    copy = with_tables(replace(MESSAGES, digest="42"), PATIENTS)
    assert differences(copy, sealed, "bounded") == {"contents": "hl7.hl7.messages"}


def test_no_more_than_ten_subjects_are_named():
    """The rest is counted, so that a line stays one line."""
    rows = [Row(f"t{number:02}", 1, 2) for number in range(13)]
    assert differing(Comparison("contents", rows)) == (
        "t00, t01, t02, t03, t04, t05, t06, t07, t08, t09 and 3 more"
    )
