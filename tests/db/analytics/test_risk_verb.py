"""`hl7ops risk`: what a nurse manager asks of one patient, as a terminal or a script would."""

from datetime import date

import pytest

from tests.cli.conftest import command_line
from tests.db.analytics.conftest import END


BORN = date(1931, 3, 4)


@pytest.fixture
def hl7ops(platform):
    """Open a command line over the test's own database."""
    with command_line() as run:
        run.env["DATABASE_URL"] = platform.address
        yield run


@pytest.fixture
def bring(platform, ask):
    """Return what brings a patient who has hypertension, and returns the key."""

    def bring(number, born):
        ((key,),) = ask(
            platform,
            "insert into hl7.patients (identifier, family_name, birth_date, first_seen_at)"
            " values (%(mrn)s, 'Needleman', %(born)s, '2026-01-01Z') returning id",
            mrn=f"MRN-{number}",
            born=born,
        )
        ask(
            platform,
            "insert into hl7.diagnoses (patient_id, code, coding_system, recorded_at)"
            " values (%(key)s, 'I10', 'I10', '2026-02-01Z') returning 1",
            key=key,
        )
        return str(key)

    return bring


def test_a_score_is_told_with_its_parts_and_without_a_word_of_who_it_is(hl7ops, bring):
    """95 years and one condition: 28.5 and 4 points; the age is told as 90."""
    key = bring(1, BORN)
    told = hl7ops.json("risk", key, "--as-of", f"{END:%Y-%m-%d}")
    assert (told["score"], told["band"], told["reason"]) == (32.5, "medium", None)
    assert told["components"]["age"] == {"value": 90, "points": 28.5, "at_most": 30}
    assert told["components"]["conditions"] == {"value": 1, "points": 4, "at_most": 40}
    assert (told["charlson"]["index"], told["charlson"]["with_age"]) == (0, 4)
    assert told["lace"]["reason"] == "no inpatient stay has ended"
    said = hl7ops("risk", key, "--as-of", f"{END:%Y-%m-%d}").stdout
    assert "32.5 medium" in said
    assert "operational triage, not validated for clinical decisions" in said
    assert "90+" in said
    assert "chronic-2026.1" in said
    for needle in ("Needleman", "MRN-1", "1931"):
        assert needle not in said + str(told)


def test_without_a_birth_date_there_is_no_score_which_is_no_failure(hl7ops, bring):
    """It ends with 0 and says why."""
    told = hl7ops.json("risk", bring(2, None))
    assert (told["score"], told["reason"]) == (None, "birth date unknown")
    assert told["components"]["conditions"]["value"] == 1


def test_an_unknown_patient_is_exit_code_3(hl7ops):
    """With what to do about it."""
    done = hl7ops("risk", "4711")
    assert done.returncode == 3
    assert "there is no such patient" in done.stderr
    assert "a patient_id of hl7_contract.patients" in done.stderr
    assert done.stdout == ""
