"""The facts themselves: sums, and the verdict that follows from checks and depth."""

from dataclasses import replace

import pytest

from tasks.control.errors import Corrupt, OpsError
from tasks.repository.proof import TIERS, Check


def test_sizes_and_rows_are_sums(backup):
    """What is reported follows from what is kept."""
    made = backup()
    assert (made.bytes_source, made.bytes_stored, made.seal.rows) == (105, 13, 9)


def test_a_backup_is_proven_where_every_tier_was_passed(backup, proof):
    """Only then is nothing raised."""
    made = proof(backup())
    assert made.verdict == "proven"
    assert made.failed == []
    made.require()


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_without_a_check_is_never_a_pass(backup, proof, tier):
    """What was not looked at is not known."""
    made = proof(backup())
    made = replace(made, checks=[check for check in made.checks if check.tier != tier])
    assert made.verdict == "error"
    with pytest.raises(OpsError, match=r"is not proven; seen: checks are missing") as told:
        made.require()
    assert told.type is OpsError


@pytest.mark.parametrize("tier", TIERS)
def test_one_failed_check_fails_the_backup(backup, proof, tier):
    """Also beside one that could not run; the error names both."""
    made = proof(backup())
    bad = [Check(tier, "row counts", "fail", "hl7.messages"), Check(tier, "other", "error", "off")]
    made = replace(made, checks=[*made.checks, *bad])
    assert made.verdict == "failed"
    with pytest.raises(Corrupt, match=r"seen: row counts: hl7\.messages; other: off") as told:
        made.require()
    assert told.value.exit_code == 4


@pytest.mark.parametrize("tier", TIERS)
def test_a_check_that_could_not_run_is_no_pass_and_no_failure(backup, proof, tier):
    """Nothing is known then, and nothing is said of the copy."""
    made = proof(backup())
    made = replace(made, checks=[*made.checks, Check(tier, "amcheck", "error", "exit 1")])
    assert made.verdict == "error"
    with pytest.raises(OpsError, match="amcheck: exit 1") as told:
        made.require()
    assert told.value.exit_code == 1
