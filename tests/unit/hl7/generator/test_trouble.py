"""What goes wrong on generated interfaces."""

import itertools
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from tasks.hl7.generator import systems, trouble
from tasks.hl7.generator.trouble import Disturbance


NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
END = NOON + timedelta(hours=6)
HOUR = timedelta(hours=1)


def outcomes(system, kind, *, at=NOON, end=END, times=2000):
    """Return what becomes of many messages during a disturbance of one hour."""
    rng = Random(1)
    disturbance = Disturbance(kind, NOON, NOON + HOUR) if kind else None
    return [trouble.outcome(rng, system, at, end, disturbance) for _ in range(times)]


def share(found, **wanted):
    """Return the share of outcomes whose fields have these values."""
    hits = [o for o in found if all(getattr(o, name) == v for name, v in wanted.items())]
    return len(hits) / len(found)


def test_nearly_all_goes_well_without_a_disturbance():
    """Less than one in a hundred fails; most are sent, some filtered or only stored."""
    found = outcomes(systems.HARBOR, None)
    assert 0 < share(found, status="E") < 0.01
    assert share(found, status="S", ack_code="AA") > 0.9
    assert share(found, status="F") == pytest.approx(0.03, abs=0.01)
    assert share(found, status="T") == pytest.approx(0.04, abs=0.01)


def test_the_enhanced_mode_acknowledges_by_commit_codes():
    """CA, CE and CR in place of AA, AE and AR."""
    codes = {o.ack_code for o in outcomes(systems.LABORATORY, "content")}
    assert codes == {"CA", "CE"}


def test_an_error_burst_of_content_fails_three_quarters_with_ae():
    """The sender's fault, with a code of HL7 table 0357."""
    found = outcomes(systems.HARBOR, "content")
    assert share(found, status="E", ack_code="AE") == pytest.approx(0.75, abs=0.05)
    assert {o.error_code for o in found} == {None, "101", "102", "103"}


def test_a_receiver_that_rejects_answers_ar():
    """The receiver's fault; the same message may be taken later."""
    found = outcomes(systems.PHARMACY, "rejected")
    assert share(found, status="E", ack_code="AR", error_code="207") > 0.7


def test_a_timeout_has_no_acknowledgement():
    """Nobody answered three times."""
    found = [o for o in outcomes(systems.PHARMACY, "timeout") if o.category == "timeout"]
    assert len(found) > 1400
    assert {(o.status, o.ack_code, o.attempts) for o in found} == {("E", None, 3)}


def test_slow_hours_are_forty_times_slower():
    """The medians of the time that processing takes."""
    usual, slow = (
        sorted(o.processed_at - NOON for o in outcomes(systems.HARBOR, kind))[1000]
        for kind in (None, "slow")
    )
    assert slow / usual == pytest.approx(40, rel=0.1)


def test_what_cannot_be_delivered_waits_until_the_receiver_is_back():
    """Sent within two minutes after the end of the disturbance, after many attempts."""
    found = outcomes(systems.PHARMACY, "connection")
    back = NOON + HOUR
    assert {o.status for o in found} == {"S"}
    assert all(back < o.sent_at <= back + timedelta(minutes=2) for o in found)
    assert {o.attempts for o in found} <= {120, 121, 122, 123, 124, 125}


def test_what_still_waits_when_we_look_is_queued():
    """The disturbance lasts beyond the end of the generated time."""
    found = outcomes(systems.PHARMACY, "connection", end=NOON + timedelta(minutes=10))
    assert {(o.status, o.sent_at, o.category) for o in found} == {("Q", None, "connection")}
    assert {o.attempts for o in found} == {20}


def test_a_message_of_the_last_moment_is_only_received_or_pending():
    """It has not been processed, or not been delivered, when we look."""
    found = outcomes(systems.HARBOR, None, end=NOON + timedelta(milliseconds=120))
    assert share(found, status="R") == pytest.approx(0.5, abs=0.05)
    assert {o.processed_at for o in found if o.status == "R"} == {None}
    assert {o.sent_at for o in found if o.status == "P"} == {None}
    assert share(found, status="P") > 0.2


def test_a_disturbance_holds_from_its_begin_until_its_end():
    """The end itself is free again."""
    calendar = {systems.HARBOR.name: [Disturbance("slow", NOON, NOON + HOUR)]}
    found = [
        trouble.at_time(calendar, systems.HARBOR, moment)
        for moment in (NOON - timedelta(seconds=1), NOON, NOON + HOUR)
    ]
    assert [one.kind if one else None for one in found] == [None, "slow", None]


def test_the_right_one_of_several_disturbances_is_found():
    """The latest that has begun."""
    later = NOON + timedelta(days=2)
    calendar = {
        systems.HARBOR.name: [
            Disturbance("slow", NOON, NOON + HOUR),
            Disturbance("silence", later, later + HOUR),
        ]
    }
    assert trouble.silence(calendar, systems.HARBOR, later) == later + HOUR
    assert trouble.silence(calendar, systems.HARBOR, NOON) is None


def test_a_calendar_knows_only_what_can_befall_a_direction():
    """A sender can fall silent, a receiver can be away; neither does the other's."""
    drawn = trouble.calendar(NOON, NOON + timedelta(days=1000), seed=1)
    inbound = {d.kind for d in drawn["Harborside EMR"]}
    outbound = {d.kind for d in drawn["Pharmacy"]}
    assert inbound == {"content", "rejected", "slow", "silence"}
    assert outbound == {"timeout", "connection", "rejected", "slow"}


def test_a_calendar_has_no_overlaps_and_about_one_disturbance_in_ten_days():
    """The look-up relies on the first, the believability on the second."""
    drawn = trouble.calendar(NOON, NOON + timedelta(days=1000), seed=1)
    assert set(drawn) == {system.name for system in systems.SYSTEMS}
    for found in drawn.values():
        assert 70 < len(found) < 130
        assert all(a.end < b.begin for a, b in itertools.pairwise(found))
