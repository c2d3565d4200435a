"""How much of a proof's cycle was compared, and what counts as a proof that was wanted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.repository.cycle import cycle
from tasks.repository.proof import SHARE, TIERS, Check, Proof
from tasks.repository.seal import Share
from tests.unit.backup.made import backup as made


NOW = datetime(2026, 11, 28, tzinfo=UTC)


def proof(*extra, age=timedelta(hours=1), depth="contents"):
    """Return a proof whose tiers all passed, with further checks."""
    checks = [Check(tier, f"{tier} is sound", "pass") for tier in TIERS]
    at = NOW - age
    return Proof("full-20261127T000000Z", "main", at, at, [*checks, *extra], depth=depth)


def sealed(number, of=7):
    """Return a backup in which one share of the tables was sealed."""
    backup = made()
    return replace(backup, seal=replace(backup.seal, share=Share(number, of)))


TODAY = Check("contents", SHARE, "partial", "1 of 7 tables are compared today")

LACKING = Check("contents", "everything was sealed and compared", "partial", "hl7.public.x")


def test_shares_add_up_to_the_cycle():
    """Which are open is told by number."""
    proofs = [(sealed(number), proof(TODAY)) for number in (0, 1, 3, 8)]
    found = cycle(proofs, 7, NOW)
    assert found.told == "3 of 7 shares of the tables within 7 days; open: 3, 5, 6, 7"
    assert not found.is_whole
    whole = cycle([(sealed(number), proof(TODAY)) for number in range(7)], 7, NOW)
    assert whole.is_whole
    assert whole.told == "7 of 7 shares of the tables within 7 days"


OPEN = {
    "never verified": None,
    "older than the cycle": proof(TODAY, age=timedelta(days=8)),
    "a table was not sealed": proof(TODAY, LACKING),
    "a check failed": proof(TODAY, Check("contents", "tables are equal", "fail", "hl7.public.x")),
    "not that deep": replace(proof(depth="boot"), checks=proof().checks[:3]),
}


@pytest.mark.parametrize("why", OPEN)
def test_a_share_that_was_not_compared_stays_open(why):
    """Whatever it was that kept it from being compared."""
    assert cycle([(sealed(0), OPEN[why])], 7, NOW).compared == frozenset()


def test_a_backup_of_which_all_was_compared_closes_the_cycle():
    """Such as one of the days before there was a cycle."""
    assert cycle([(sealed(0, 1), proof())], 7, NOW).is_whole


def test_without_a_cycle_there_is_none():
    """All is compared each time."""
    assert cycle([(sealed(0, 1), proof())], 1, NOW) is None


def test_what_the_policy_leaves_for_later_is_wanted_and_what_fails_is_not():
    """The alarm that no backup was proven waits for those that are as wanted."""
    assert proof().is_as_wanted
    assert proof(TODAY).is_as_wanted
    assert replace(proof(depth="boot"), checks=proof().checks[:3]).is_as_wanted
    assert not proof(LACKING).is_as_wanted
    assert not replace(proof(), checks=proof().checks[:4]).is_as_wanted
    assert not proof(Check("structure", "definitions are equal", "error")).is_as_wanted
