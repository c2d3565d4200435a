"""The record of a verification: what an error becomes, and where it stops."""

import pytest

from tasks.control.errors import Corrupt, OpsError, Refused, Transient
from tasks.recovery.proving.record import Record, Stopped
from tasks.repository.proof import Check


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Corrupt("an object was changed", seen="base.tar.zst"), "fail"),
        (OpsError("pg_amcheck failed", seen="exit 1"), "error"),
        (Transient("the server cannot be reached"), "error"),
    ],
)
def test_an_error_becomes_a_check_of_its_tier(error, outcome):
    """A proof that failed is a failed check; one that could not be made is an error, no pass."""
    record = Record()
    with pytest.raises(Stopped), record.tier("objects"):
        raise error
    assert record.checks == [
        Check(
            "objects",
            "every object and WAL segment is the one that was kept",
            outcome,
            str(error),
        )
    ]


def test_a_refusal_says_nothing_of_the_backup():
    """A precondition that does not hold passes through, and leaves no check."""
    record = Record()
    with pytest.raises(Refused, match="not enough room"), record.tier("boot"):
        raise Refused("not enough room")
    assert record.checks == []


def test_a_mistake_of_ours_is_not_taken_for_a_finding():
    """An unexpected error passes through as it is; it is neither a pass nor a failed copy."""
    record = Record()
    with pytest.raises(ZeroDivisionError), record.tier("boot"):
        raise ZeroDivisionError
    assert record.checks == []


@pytest.mark.parametrize("outcome", ["fail", "error"])
def test_a_check_that_did_not_pass_stops_at_the_end_of_its_tier(outcome):
    """The other checks of the tier are made, the deeper tiers are not."""
    record = Record()
    with pytest.raises(Stopped), record.tier("contents"):
        record.add(Check("contents", "row counts", outcome), Check("contents", "rules", "pass"))
    assert [check.outcome for check in record.checks] == [outcome, "pass"]


def test_tiers_that_pass_follow_each_other():
    """Nothing is raised, and each notes its own check."""
    record = Record()
    with record.tier("objects"):
        record.passed("objects", "2 objects, 3 segments")
    with record.tier("manifest"):
        record.passed("manifest", "pg_verifybackup")
    assert [(check.tier, check.outcome, check.seen) for check in record.checks] == [
        ("objects", "pass", "2 objects, 3 segments"),
        ("manifest", "pass", "pg_verifybackup"),
    ]


def test_every_tier_is_timed_also_one_that_fails():
    """The seconds show where the time went."""
    record = Record()
    with record.tier("objects"):
        pass
    with pytest.raises(Stopped), record.tier("manifest"):
        raise Corrupt("files differ")
    assert list(record.seconds) == ["objects", "manifest"]
    assert all(0 <= spent < 1 for spent in record.seconds.values())


def test_what_a_tier_took_adds_up_and_is_told_in_the_order_of_tiers():
    """What is measured for a later tier may come before an earlier one."""
    record = Record()
    for tier in ("contents", "structure", "contents"):
        with record.tier(tier):
            record.seconds[tier] = record.seconds.get(tier, 0) + 1
    assert list(record.spent) == ["structure", "contents"]
    assert record.spent["contents"] >= 2
