"""What a proof tells: which tiers passed, what it refuses, and which of several counts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tasks.control.errors import Corrupt
from tasks.repository.model import Damaged
from tasks.repository.proof import (
    BYTES,
    TIERS,
    Check,
    counting,
    refuses,
    told_tiers,
    word_of,
)
from tests.unit.repository.conftest import AT


COMPARISON = [tier for tier in TIERS if tier not in BYTES]


@pytest.fixture
def ended(backup, proof):
    """Return what makes a proof some seconds after the first one, in which tiers ended badly.

    A tier that ended as None has no check.
    """

    def make(seconds=0, **outcomes):
        checks = [
            Check(tier, "looked at", outcome, str(seconds))
            for tier in TIERS
            if (outcome := outcomes.get(tier, "pass"))
        ]
        return replace(proof(backup(), at=AT + timedelta(seconds=seconds)), checks=checks)

    return make


def known(*proofs):
    """Return what proofs say together, the oldest first; a text cannot be believed."""

    def reader(each):
        def read():
            if isinstance(each, str):
                raise Corrupt(each)
            return each

        return read

    return counting("full-x", [reader(each) for each in reversed(proofs)])


def test_all_tiers_passed(ended):
    """Nothing is refused, failed or open."""
    made = ended()
    assert made.passed_tiers == TIERS
    assert (made.recovers, made.has_run, made.refuses_restore) == (True, True, False)
    assert (made.open_tiers, made.failed_comparison) == ((), [])


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("outcome", ["partial", "fail", "error", None])
def test_a_tier_passed_only_where_all_of_its_checks_did(ended, tier, outcome):
    """One that was not run, or compared in part, is not among those that did."""
    made = ended(**{tier: outcome})
    assert made.passed_tiers == tuple(each for each in TIERS if each != tier)
    assert made.outcome(tier) == outcome
    beside = replace(made, checks=[*made.checks, Check(tier, "another", "pass")])
    assert (beside.outcome(tier) == "pass") is (outcome is None)


@pytest.mark.parametrize("tier", TIERS)
def test_only_failed_bytes_refuse_a_restore(ended, tier):
    """Neither a comparison that failed nor a check that could not run."""
    failed = ended(**{tier: "fail"})
    assert failed.refuses_restore is refuses(failed) is (tier in BYTES)
    assert bool(failed.failed_bytes) is not bool(failed.failed_comparison)
    assert failed.recovers is (tier not in BYTES)
    assert not ended(**{tier: "error"}).refuses_restore
    assert not refuses(None)
    assert not refuses(Damaged("full-x", "edited"))


@pytest.mark.parametrize("tier", TIERS)
def test_a_proof_that_could_not_run_hides_none_that_did(ended, tier):
    """Neither a good one nor a bad one; alone it says what it is."""
    error = ended(9, **{tier: "error"})
    proven, failed = ended(1), ended(2, objects="fail")
    assert known(error) == error
    assert known(proven, error).verdict == "proven"
    assert known(proven, error).finished_at == proven.finished_at
    assert known(failed, error).refuses_restore is (tier in BYTES)
    assert known(proven, error, ended(10, **{tier: "error"})).verdict == "proven"


@pytest.mark.parametrize("tier", COMPARISON)
def test_what_an_earlier_proof_found_in_comparing_still_counts(ended, tier):
    """The bytes are the same; but not what it says of a tier that was looked at since."""
    error = ended(9, **{tier: "error"})
    differs = known(ended(1, **{tier: "fail"}), error)
    assert [check.tier for check in differs.failed_comparison] == [tier]
    later = known(ended(1, **{tier: "fail"}), ended(2))
    assert later.verdict == "proven"


def test_the_newest_of_those_that_ran_counts(ended):
    """Good or bad."""
    good, bad = ended(1), ended(2, boot="fail", structure=None, contents=None)
    assert known() is None
    assert known(good, bad) == bad
    assert known(bad, replace(good, finished_at=AT + timedelta(seconds=5))).verdict == "proven"


def test_one_that_cannot_be_believed_is_not_passed_over(ended):
    """It may have failed; but a newer one that ran counts."""
    assert known(ended(1), "edited") == Damaged("full-x", "edited")
    assert known(ended(1), "edited", ended(2, boot="error")) == Damaged("full-x", "edited")
    assert known("edited", ended(2)).verdict == "proven"
    assert known("edited", ended(2, contents="error")).verdict == "error"


def test_a_backup_is_called_by_one_word(backup, ended):
    """Without a seal it stays unproven, unless its bytes failed."""
    made = backup()
    bare = replace(made, seal=replace(made.seal, restore_point="", mode="none"))
    assert word_of(made, None) == word_of(made, Damaged(made.id, "edited")) == "unproven"
    for outcome, word in [("partial", "partial"), ("fail", "failed"), ("error", "error")]:
        assert word_of(made, ended(contents=outcome)) == word
        assert word_of(bare, ended(contents=outcome)) == "unproven"
    assert (word_of(made, ended()), word_of(bare, ended())) == ("proven", "unproven")
    assert word_of(bare, ended(objects="fail")) == "failed"


def test_tiers_are_told_in_words(ended):
    """With what was compared in part."""
    assert told_tiers(ended(contents="fail")) == "objects, manifest, boot, structure"
    assert told_tiers(ended(contents="partial")).endswith("structure, contents in part")
    assert told_tiers(ended(**dict.fromkeys(TIERS, "error"))) == "none"
    assert told_tiers(None) == "-"


def test_a_catalogue_tells_what_counts(catalogue, backup, ended):
    """Of real documents, by the order in which they were begun."""
    made = backup()
    for each in (ended(1, contents="fail"), ended(2), ended(3, boot="error")):
        catalogue.record(each)
    assert catalogue.last_proof(made.id) == ended(2)
    assert len(catalogue.proofs(made.id)) == 3
    name = max(each for each, _ in catalogue.objects(made.id))
    catalogue.storage.put(name, b"{}")
    assert isinstance(catalogue.last_proof(made.id), Damaged)


def test_an_error_tells_only_the_beginning_of_a_long_list(backup, proof):
    """It is one line; the report has all of it."""
    made = proof(backup())
    seen = ", ".join(f"hl7.public.table_{number}" for number in range(100))
    failed = replace(made, checks=[*made.checks, Check("contents", "tables", "fail", seen)])
    with pytest.raises(Corrupt) as caught:
        failed.require()
    assert "hl7.public.table_0, " in str(caught.value)
    assert len(str(caught.value)) < 700
