"""Great Expectations as it is used here: pass, fail and error, and never a value of a row."""

from dataclasses import replace

import pytest

from tasks.postgres.schema_dump import Definition
from tasks.recovery.proving.comparison import Comparison, Part, Row, comparisons
from tasks.recovery.proving.expectations import Suite
from tasks.repository.fingerprint import Found


@pytest.fixture
def suite():
    """Make a context; a name is compared once in it."""
    return Suite()


def compared(suite, relation, *pairs):
    """Compare pairs of values; return outcome and what was seen."""
    rows = [Row(f"t{number}", *pair) for number, pair in enumerate(pairs)]
    check = suite.compare(Comparison("things", rows, relation))
    return check.outcome, check.seen


@pytest.mark.parametrize(
    ("pairs", "outcome", "seen"),
    [
        ([(1, 1), ("a", "a"), (None, None)], "pass", "3 compared"),
        ([(1, 1), (1, 2)], "fail", "t1"),
        ([(1, None)], "fail", "t0"),
        ([(None, 1)], "fail", "t0"),
        ([("1.0", "1")], "fail", "t0"),
        ([(10**30, 10**30), (10**30, 10**30 + 1)], "fail", "t1"),
        ([], "pass", "none in the seal, none in the copy"),
    ],
)
def test_equal_means_equal(suite, pairs, outcome, seen):
    """A value that is not there equals nothing but another that is not there."""
    assert compared(suite, "equal", *pairs) == (outcome, seen)


@pytest.mark.parametrize(
    ("relation", "pair", "outcome"),
    [
        ("at least", (5, 5), "pass"),
        ("at least", (5, 6), "pass"),
        ("at least", (5, 4), "fail"),
        ("at least", (5, None), "fail"),
        ("at most", (5, 5), "pass"),
        ("at most", (5, 4), "pass"),
        ("at most", (5, 6), "fail"),
        ("at least", (2**53, 2**53 - 1), "fail"),
        ("at most", (2**53, 2**53 + 1), "fail"),
    ],
)
def test_bounds_hold_to_the_last_digit(suite, relation, pair, outcome):
    """Also where a floating number would not tell the difference."""
    assert compared(suite, relation, pair)[0] == outcome


def test_what_is_seen_names_subjects_and_no_values(suite):
    """Digests and counts are not told, and neither could a value be."""
    check = suite.compare(Comparison("contents", [Row("hl7.patients", "4711", "4712")]))
    assert (check.tier, check.outcome, check.seen) == ("contents", "fail", "hl7.patients")
    assert "471" not in str(check)


def test_an_expectation_that_cannot_be_evaluated_is_an_error(suite, monkeypatch):
    """A column that is not there makes nothing pass and nothing fail."""
    real = suite._known.ExpectColumnPairValuesToBeEqual  # noqa: SLF001

    def other(**arguments):
        return real(**arguments | {"column_A": "nowhere"})

    monkeypatch.setattr(
        suite._known,  # noqa: SLF001
        "ExpectColumnPairValuesToBeEqual",
        other,
    )
    check = suite.compare(Comparison("contents", [Row("hl7.patients", 1, 1)]))
    assert (check.outcome, check.seen) == ("error", "the check could not run")


def test_a_copy_with_another_row_is_found_by_the_suite(stanza, backup):
    """End to end: a real seal beside a copy that equals it, and beside one with one row more."""
    sealed = stanza.catalogue.fingerprint(backup)
    part = Part(sealed)
    copy = Found(
        tables={each.name: each for each in sealed.tables},
        databases=part.databases,
        listed={each.name for each in sealed.tables},
        sequences={name: each.before for name, each in sealed.sequence_states.items()},
        definitions={
            name: Definition(name, "", digest, frozenset())
            for name, digest in sealed.definitions.items()
        },
        facts=sealed.facts,
        rules=sealed.rules,
    )
    assert {Suite().compare(each).outcome for each in comparisons(part, copy)} == {"pass"}
    first = sealed.tables[0]
    grown = replace(copy, tables=copy.tables | {first.name: replace(first, rows=first.rows + 1)})
    compared = [Suite().compare(each) for each in comparisons(part, grown)]
    failed = [check for check in compared if check.outcome == "fail"]
    assert [(check.name, check.seen) for check in failed] == [
        ("row counts: the copy equals the seal", first.name)
    ]
