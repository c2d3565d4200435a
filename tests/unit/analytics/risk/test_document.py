"""What is told of one patient: the parts add up, and what is not known is not told as zero."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic_core import to_jsonable_python

from tasks.analytics.risk.assessment import Assessment, Stay
from tasks.analytics.risk.document import document


NOW = datetime(2026, 11, 25, tzinfo=UTC)

FOUND = Assessment(
    17,
    NOW,
    reason=None,
    age=71,
    conditions=4,
    medications=3,
    unended=1,
    charlson=3,
    stay=Stay(days=5, is_acute=True, visits=2, discharged_at=NOW - timedelta(days=12)),
)


def test_the_points_of_the_parts_are_the_score():
    """71 years are 21.3, four conditions 16, three medications 7.2: 44.5, medium."""
    told = document(FOUND)
    assert (told["score"], told["band"], told["reason"]) == (44.5, "medium", None)
    assert [part["points"] for part in told["components"].values()] == [21.3, 16, 7.2]
    assert [part["value"] for part in told["components"].values()] == [71, 4, 3]
    assert [part["at_most"] for part in told["components"].values()] == [30, 40, 30]
    assert told["bands"] == {"low": 0, "medium": 30, "high": 60}


def test_how_it_is_counted_and_what_it_is_not_for_is_told():
    """The version of the list, the rule and the label go with every score."""
    told = document(FOUND)
    assert told["list_version"] == "chronic-2026.1"
    assert told["label"] == "operational triage, not validated for clinical decisions"
    assert "distinct chronic conditions" in told["rule"]


def test_both_indices_stand_beside_it():
    """Charlson 3 and 3 for 71 years; LACE 4 and 3 and 3 and 2, within its 30 days."""
    told = document(FOUND)
    assert (told["charlson"]["index"], told["charlson"]["with_age"]) == (3, 6)
    lace = told["lace"]
    assert [lace[part] for part in ("length", "acute", "comorbidity", "emergency")] == [4, 3, 3, 2]
    assert (lace["score"], lace["is_high"], lace["is_early"]) == (12, True, True)


@pytest.mark.parametrize(("days", "is_early"), [(0, True), (29, True), (30, False), (400, False)])
def test_lace_speaks_of_the_thirty_days_after_a_discharge(days, is_early):
    """And of no later ones; the date itself is not told."""
    stay = replace(FOUND.stay, discharged_at=NOW - timedelta(days=days))
    assert document(replace(FOUND, stay=stay))["lace"]["is_early"] is is_early


@pytest.mark.parametrize("reason", ["birth date unknown", "deceased", "merged into another record"])
def test_without_a_score_there_is_a_reason_and_no_points(reason):
    """None is no low risk; what was counted is told all the same."""
    told = document(replace(FOUND, reason=reason, age=None))
    assert (told["score"], told["band"], told["reason"]) == (None, None, reason)
    assert {part["points"] for part in told["components"].values()} == {None}
    assert told["components"]["conditions"]["value"] == 4
    assert told["charlson"]["with_age"] is None


def test_what_the_data_do_not_allow_has_a_reason():
    """No diagnosis in ICD-10 is no index of zero; without it there is no LACE."""
    told = document(replace(FOUND, charlson=None))
    assert told["charlson"]["index"] is None
    assert told["charlson"]["reason"] == "no diagnosis is recorded in ICD-10"
    assert told["lace"]["score"] is None
    assert told["lace"]["reason"] == "no diagnosis is recorded in ICD-10"
    told = document(replace(FOUND, stay=None))
    assert (told["lace"]["score"], told["lace"]["is_early"]) == (None, None)
    assert told["lace"]["reason"] == "no inpatient stay has ended"


@pytest.mark.parametrize(("age", "told_age"), [(89, 89), (90, 90), (104, 90)])
def test_ages_from_ninety_on_are_told_together(age, told_age):
    """As HIPAA's Safe Harbor has it; the score is of the age itself."""
    told = document(replace(FOUND, age=age))
    assert told["components"]["age"]["value"] == told_age
    assert told["ages_pooled_from"] == 90


def test_no_date_of_the_patient_is_told():
    """The only moment is the one that was asked for."""
    text = json.dumps(to_jsonable_python(document(FOUND)))
    assert text.count("2026-") == 1
    assert "2026-11-13" not in text
