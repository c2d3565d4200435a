"""What is warned of a backup: each doubt where it is due, and none where all is known."""

from dataclasses import replace

import pytest

from tasks.recovery.planning.doubts import doubts, failure
from tasks.repository.model import Damaged
from tasks.repository.proof import BYTES, TIERS, Check, Proof
from tests.unit.recovery.conftest import BEGUN


def proof(**outcomes):
    """Return a proof in which some tiers did not end well; one that ended as None was not run."""
    checks = [
        Check(tier, f"what {tier} says", outcome, "" if outcome == "pass" else "17")
        for tier in TIERS
        if (outcome := outcomes.get(tier, "pass"))
    ]
    return Proof("full-x", "main", BEGUN, BEGUN, checks)


def test_nothing_is_warned_of_a_proven_backup(backup):
    """Not even a word."""
    assert doubts(backup(2), proof()) == []
    assert failure(proof()) is None


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (None, "was never verified"),
        (Damaged("full-x", "edited"), "cannot be read: edited"),
        (proof(boot="error", structure=None, contents=None), "could not run: what boot says: 17"),
        (proof(contents="fail"), "differs from its seal: what contents says: 17"),
        (proof(structure="fail", contents=None), "as its source did: what structure says: 17"),
        (proof(contents="error"), "recovers, but its contents were not compared"),
        (proof(contents=None), "recovers, but its contents were not compared"),
        (proof(contents="partial"), "not all tables"),
    ],
)
def test_what_is_not_known_or_differs_is_warned_of(backup, last, said):
    """By the name of the backup, in one sentence; and it refuses nothing."""
    (doubt,) = doubts(backup(2), last)
    assert said in doubt
    assert backup(2).id in doubt
    assert failure(last) is None


@pytest.mark.parametrize("tier", BYTES)
def test_failed_bytes_are_no_doubt(backup, tier):
    """They refuse, which is told elsewhere."""
    last = proof(**{tier: "fail"})
    assert failure(last) == f"its bytes failed its last proof: what {tier} says: 17"
    assert doubts(backup(2), last) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"skipped": 3}, "not all tables"),
        ({"mode": "bounded"}, "sealed by bounds only"),
        ({"mode": "none"}, "has no seal, so nothing can be compared with it"),
    ],
)
def test_what_a_seal_leaves_open_is_warned_of(backup, more, said):
    """Also where all that could be compared was."""
    made = backup(2)
    made = replace(made, seal=replace(made.seal, **more))
    (doubt,) = doubts(made, proof())
    assert said in doubt
    assert doubts(made, None) == [*doubts(backup(2), None), doubt]


def test_many_checks_are_counted(backup):
    """A line stays a line."""
    checks = [Check("contents", f"table {n}", "fail", "gone") for n in range(5)]
    (doubt,) = doubts(backup(2), replace(proof(), checks=[*proof().checks, *checks]))
    assert doubt.endswith("table 0: gone; table 1: gone; 3 more")
