"""A seal beside a copy: what is laid side by side, and which rows do not stand as they should."""

from dataclasses import replace

import pytest

from tasks.postgres.schema_dump import Definition
from tasks.postgres.sequences import SequenceState
from tasks.recovery.proving.comparison import (
    Comparison,
    Part,
    Row,
    comparisons,
    of_extensions,
    refreshed,
)
from tasks.recovery.proving.expectations import differing
from tasks.recovery.proving.holding import not_compared
from tasks.repository.fingerprint import Found
from tasks.repository.seal import (
    EVERY_KIND,
    Fact,
    Fingerprint,
    Omission,
    SequenceSeal,
    TableSeal,
)


MESSAGES = TableSeal("hl7", "hl7.messages", 900, "41", "2026-11-22 23:59:00")

PATIENTS = TableSeal("hl7", "hl7.patients", 34, "7", None)

STATUS = Fact("messages of each status", "hl7: S", 880)

SEQUENCE = "hl7.hl7.messages_id_seq"

INDEX = "hl7: index hl7.messages_pkey"

ROLE = "all databases: role clerk"


def at(value, ahead=0, increment=1, *, is_called=True):
    """Return the state of a sequence."""
    return SequenceState(value, ahead, is_called, increment)


RAN = at(900)

SOURCE = Fingerprint(
    tables=[MESSAGES, PATIENTS],
    sequence_states={SEQUENCE: SequenceSeal(RAN)},
    definitions={INDEX: "ab", ROLE: "cd"},
    moments={"hl7": 0},
    facts=[STATUS],
    rules=[],
)


def defined(**digests):
    """Return definitions of a copy, each of an object of its own."""
    names = {"index": INDEX, "role": ROLE, "other": "all databases: role guest"}
    return {
        names[name]: Definition(names[name], name.upper(), digest, frozenset({(1, number)}))
        for number, (name, digest) in enumerate(digests.items())
    }


COPY = Found(
    tables={each.name: each for each in SOURCE.tables},
    databases=["hl7"],
    listed={each.name for each in SOURCE.tables},
    sequences={SEQUENCE: RAN},
    definitions=defined(index="ab", role="cd"),
    facts=[STATUS],
)


def differences(copy, sealed=SOURCE, moment=0, *, is_loaded=False):
    """Return the names of the comparisons in which some subject differs, with the subjects."""
    part = Part(sealed, moment, is_loaded)
    found = {each.name: differing(each) for each in comparisons(part, copy)}
    return {name: subjects for name, subjects in found.items() if subjects}


def with_tables(*tables):
    """Return the copy with other tables."""
    return replace(
        COPY, tables={each.name: each for each in tables}, listed={each.name for each in tables}
    )


def with_sequence(*state, is_called=True):
    """Return the copy with a sequence in another state."""
    return replace(COPY, sequences={SEQUENCE: at(*state, is_called=is_called)})


def test_an_equal_copy_has_no_difference():
    """Every kind is compared, and nothing is found."""
    assert differences(COPY) == {}
    assert [each.name for each in comparisons(Part(SOURCE), COPY)] == [
        "tables",
        "row counts",
        "contents",
        "newest timestamps",
        "sequences",
        "definitions",
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
    "a table that cannot be read": (
        replace(COPY, tables=COPY.tables | {PATIENTS.name: None}),
        dict.fromkeys(("row counts", "contents", "newest timestamps"), PATIENTS.name),
    ),
    "large objects that were not there": (
        replace(
            COPY,
            tables=COPY.tables
            | {"hl7.large objects": TableSeal("hl7", "large objects", 1, "1", None)},
        ),
        dict.fromkeys(("row counts", "contents", "newest timestamps"), "hl7.large objects"),
    ),
    "an index that is missing": (
        replace(COPY, definitions=defined(role="cd")),
        {"definitions": INDEX},
    ),
    "an index that is built otherwise": (
        replace(COPY, definitions=defined(index="cd", role="cd")),
        {"definitions": INDEX},
    ),
    "a role that was not there": (
        replace(COPY, definitions=defined(index="ab", role="cd", other="ef")),
        {"definitions": "all databases: role guest"},
    ),
    "a role that is missing": (
        replace(COPY, definitions=defined(index="ab")),
        {"definitions": ROLE},
    ),
    "a sequence that is behind": (with_sequence(899), {"sequences": SEQUENCE}),
    "a sequence that is ahead": (with_sequence(932), {"sequences": SEQUENCE}),
    "a sequence whose value was not given out": (
        with_sequence(900, is_called=False),
        {"sequences": SEQUENCE},
    ),
    "a sequence that is missing": (replace(COPY, sequences={}), {"sequences": SEQUENCE}),
    "a fact with another count": (
        replace(COPY, facts=[replace(STATUS, value=879)]),
        {"messages of each status": "hl7: S"},
    ),
    "a fact that is missing": (
        replace(COPY, facts=[]),
        {"messages of each status": "hl7: S"},
    ),
    "a fact of a kind that was not sealed": (
        replace(COPY, facts=[STATUS, Fact("messages of each type", "hl7: ADT", 1)]),
        {"messages of each type": "hl7: ADT"},
    ),
}


@pytest.mark.parametrize("change", EXACT)
def test_every_change_is_named_and_nothing_else(change):
    """Each kind of difference shows in its own comparison, by the name of its subject."""
    copy, expected = EXACT[change]
    assert differences(copy) == expected


def test_a_sequence_stands_where_the_log_has_it():
    """PostgreSQL writes sequences ahead to the WAL; a copy that was loaded has what was given."""
    ahead = replace(SOURCE, sequence_states={SEQUENCE: SequenceSeal(at(900, 32))})
    replayed, loaded = with_sequence(932), with_sequence(900)
    assert differences(replayed, ahead) == {}
    assert differences(loaded, ahead) == {"sequences": SEQUENCE}
    assert "sequences" not in differences(loaded, ahead, is_loaded=True)
    assert differences(replayed, ahead, is_loaded=True)["sequences"] == SEQUENCE


RUNS = replace(
    SOURCE,
    sequence_states={SEQUENCE: SequenceSeal(RAN, at(950))},
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (899, {"sequences that ran": SEQUENCE}),
        (900, {}),
        (925, {}),
        (950, {}),
        (951, {"sequences that ran on": SEQUENCE}),
    ],
)
def test_a_sequence_that_ran_while_it_was_sealed_is_between_its_two_states(value, expected):
    """Both were seen; neither is that of the restore point for sure."""
    assert differences(with_sequence(value), RUNS) == expected


def test_a_sequence_that_was_set_back_while_it_was_sealed_has_no_bounds():
    """Whatever the copy has of it may be right."""
    back = SequenceSeal(RAN, at(5))
    sealed = replace(SOURCE, sequence_states={SEQUENCE: back})
    assert differences(with_sequence(3), sealed) == {}


def test_a_sequence_that_runs_down_is_compared_in_its_direction():
    """Its bounds are the other way round."""
    ran = SequenceSeal(at(-900, 0, -1), at(-950, 0, -1))
    sealed = replace(SOURCE, sequence_states={SEQUENCE: ran})
    assert differences(with_sequence(-925, 0, -1), sealed) == {}
    assert differences(with_sequence(-899, 0, -1), sealed) == {"sequences that ran": SEQUENCE}
    assert differences(with_sequence(-951, 0, -1), sealed) == {"sequences that ran on": SEQUENCE}


def test_a_seal_of_an_earlier_version_has_lower_bounds_of_sequences():
    """And its structure, which was computed in another way, is not compared."""
    old = replace(
        SOURCE,
        sequence_states=None,
        definitions=None,
        sequences={SEQUENCE: 900},
        structure={"hl7: index hl7.other": "old"},
    )
    assert differences(COPY, old) == {}
    assert differences(with_sequence(932), old) == {}
    assert differences(with_sequence(899), old) == {"sequences": SEQUENCE}


LOOSE = replace(SOURCE, tables=[replace(MESSAGES, stable_rows=880), PATIENTS], facts=[])


@pytest.mark.parametrize("rows", [880, 890, 900])
def test_a_bounded_seal_holds_between_its_bounds(rows):
    """Rows that went while it was taken may be there or not; the digest may differ then."""
    copy = with_tables(replace(MESSAGES, rows=rows, digest="?"), PATIENTS)
    assert differences(copy, LOOSE) == {}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (879, {"rows that must be there": "hl7.hl7.messages"}),
        (901, {"rows that may be there": "hl7.hl7.messages"}),
    ],
)
def test_a_bounded_seal_is_broken_outside_of_its_bounds(rows, expected):
    """One row too few and one too many are both found."""
    assert differences(with_tables(replace(MESSAGES, rows=rows), PATIENTS), LOOSE) == expected


def test_a_bounded_seal_misses_a_table_that_is_not_there():
    """A loose table that is gone is missing from the tables and below its bound."""
    found = differences(with_tables(PATIENTS), LOOSE)
    assert found["tables"] == "hl7.hl7.messages"
    assert found["rows that must be there"] == "hl7.hl7.messages"


def test_a_table_whose_rows_all_stayed_must_be_equal_under_a_bounded_seal():
    """Where no row of the snapshot went, its contents are known exactly."""
    sealed = replace(SOURCE, tables=[replace(MESSAGES, stable_rows=900), PATIENTS])
    copy = with_tables(replace(MESSAGES, digest="42"), PATIENTS)
    assert differences(copy, sealed) == {"contents": "hl7.hl7.messages"}


LATER = replace(SOURCE, tables=[MESSAGES, replace(PATIENTS, moment=1)])


def test_a_table_is_compared_at_its_own_restore_point():
    """There alone; what else is there then is not looked at."""
    emptied = replace(PATIENTS, rows=0, digest="0")
    first = replace(with_tables(MESSAGES), listed=COPY.listed)
    assert differences(first, LATER) == {}
    second = Found(tables={PATIENTS.name: PATIENTS}, listed=COPY.listed | {"hl7.hl7.newer"})
    assert differences(second, LATER, 1) == {}
    assert differences(replace(second, tables={PATIENTS.name: emptied}), LATER, 1) == {
        "row counts": PATIENTS.name,
        "contents": PATIENTS.name,
    }
    assert differences(replace(second, tables={}, listed=set()), LATER, 1) == {
        "tables": PATIENTS.name
    }


def test_what_was_not_sealed_is_not_compared():
    """Not even whether it is there."""
    sealed = replace(SOURCE, tables=[MESSAGES], omitted=[Omission(PATIENTS.name, "gone")])
    for listed in (COPY.listed, {MESSAGES.name}):
        assert differences(replace(with_tables(MESSAGES), listed=listed), sealed) == {}
    assert differences(
        replace(with_tables(MESSAGES), listed=COPY.listed), replace(sealed, omitted=[])
    ) == {"tables": PATIENTS.name}


def test_definitions_that_did_not_hold_still_are_not_compared():
    """Nor is what needs them, known by the objects of the catalogs."""
    changed = Omission("hl7: an index", "it changed", database="hl7", keys=[(1, 0)])
    sealed = replace(SOURCE, definitions={ROLE: "cd"}, omitted=[changed])
    assert differences(COPY, sealed) == {}
    assert differences(COPY, replace(sealed, omitted=[replace(changed, keys=[(1, 9)])])) == {
        "definitions": INDEX
    }


@pytest.mark.parametrize("kind", ["INDEX", EVERY_KIND])
def test_kinds_of_definitions_that_are_not_known_are_not_compared(kind):
    """Of that database; what all databases share is."""
    omitted = Omission("definitions of hl7", "failed", database="hl7", kinds=[kind])
    sealed = replace(SOURCE, definitions={ROLE: "cd"}, omitted=[omitted])
    assert differences(COPY, sealed) == {}
    roleless = replace(COPY, definitions=defined(index="ab"))
    assert differences(roleless, sealed) == {"definitions": ROLE}


def test_definitions_of_a_copy_that_was_loaded_are_held_against_its_dump():
    """Not here."""
    assert differences(replace(COPY, definitions={}), is_loaded=True) == {}


@pytest.mark.parametrize(
    ("change", "named_by", "other"),
    [
        ({"is_view": True}, refreshed, of_extensions),
        ({"extension": "postgis"}, of_extensions, refreshed),
    ],
)
def test_what_a_dump_makes_anew_is_named_where_it_differs(change, named_by, other):
    """A materialized view is refreshed, an extension brings its own rows."""
    sealed = replace(SOURCE, tables=[MESSAGES, replace(PATIENTS, **change)])
    copy = with_tables(MESSAGES, replace(PATIENTS, digest="8"))
    assert differences(copy, sealed) == {"contents": PATIENTS.name}
    assert differences(copy, sealed, is_loaded=True) == {}
    (named,) = named_by(Part(sealed, is_loaded=True), copy)
    assert named.startswith(PATIENTS.name)
    assert other(Part(sealed, is_loaded=True), copy) == []
    assert named_by(Part(sealed, is_loaded=True), COPY) == []
    assert named_by(Part(sealed), copy) == []


def test_no_more_than_a_hundred_subjects_are_named():
    """The rest is counted."""
    rows = [Row(f"t{number:03}", 1, 2) for number in range(103)]
    found = differing(Comparison("contents", rows))
    assert found.startswith("t000, t001, t002, ")
    assert found.endswith(", t098, t099 and 3 more")


def test_a_seal_of_an_earlier_version_is_compared_by_rows_and_its_digests_are_not():
    """Its digests and definitions were computed in another way; that is named as not compared."""
    old = Fingerprint(
        tables=[
            TableSeal("hl7", "app.messages", 900, "an old digest", None),
            TableSeal("hl7", 'app.Odd "name"', 1, "an old digest", None),
        ],
        facts=[],
        rules=[],
        sequences={"hl7.app.messages_id_seq": 900},
    )
    state = SequenceState(932, 0, is_called=True, increment=1)
    copy = Found(
        tables={"hl7.app.messages": TableSeal("hl7", "app.messages", 900, "a new digest", None)},
        sequences={"hl7.app.messages_id_seq": state},
    )
    compared = comparisons(Part(old), copy)
    assert [each.name for each in compared if differing(each)] == []
    fewer = replace(
        copy, tables={"hl7.app.messages": TableSeal("hl7", "app.messages", 899, "x", None)}
    )
    assert [each.name for each in comparisons(Part(old), fewer) if differing(each)] == [
        "row counts"
    ]
    (said,) = not_compared(Part(old), copy)
    assert said.outcome == "partial"
    assert "earlier version" in said.seen
