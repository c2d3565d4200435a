"""Logins and audited actions of the generated platform."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tasks.hl7.generator import staff


END = datetime(2026, 11, 23, 6, tzinfo=UTC)


def logins(events, seed=7):
    """Return attempts to log in of 30 days."""
    return list(staff.login_events(events, seed=seed, end=END, days=30))


def audited(events, seed=7):
    """Return audited actions of 30 days."""
    return list(staff.audit_events(events, seed=seed, end=END, days=30))


@pytest.mark.parametrize("events", [0, 1, 100, 6000])
def test_exactly_as_many_events_come_as_were_asked_for(events):
    """Intrusions are part of the number."""
    assert len(logins(events)) == events
    assert len(audited(events)) == events


def test_a_seed_determines_the_events():
    """The same gives the same, another gives others."""
    assert logins(200) == logins(200) != logins(200, seed=8)
    assert audited(200) == audited(200) != audited(200, seed=8)


def test_events_are_in_order_and_within_the_days():
    """Bursts come at their time among the others."""
    for events in (logins(6000), audited(1000)):
        times = [event.occurred_at for event in events]
        assert times == sorted(times)
        assert END - timedelta(days=30) <= times[0]
        assert times[-1] <= END


def test_accounts_are_unique_and_plain():
    """37 people; none has an accent in the account's name."""
    assert len(set(staff.ACCOUNTS)) == len(staff.ACCOUNTS) == 37
    assert all(account.isascii() for account in staff.ACCOUNTS)


def test_only_administrators_change_things():
    """A change by somebody else would be news."""
    changes = {event.actor for event in audited(6000) if event.action == "change"}
    assert changes == {"admin.noldric", "admin.orsavin"}


def test_most_of_what_is_done_is_looking():
    """Views and searches are nine tenths; few are refused."""
    events = audited(6000)
    actions = Counter(event.action for event in events)
    assert (actions["view"] + actions["search"]) / 6000 == pytest.approx(0.897, abs=0.02)
    assert 0 < sum(event.outcome == "failure" for event in events) / 6000 < 0.02


def test_a_failed_login_says_why_and_a_successful_one_does_not():
    """The reason is what an alert is grouped by."""
    events = logins(6000)
    assert {e.reason for e in events if e.outcome == "success"} == {None}
    assert {e.reason for e in events if e.outcome == "failure"} == {
        "password",
        "expired",
        "locked",
        "unknown",
    }


def test_people_mistype_now_and_then():
    """Some three in a hundred attempts from inside fail."""
    inside = [e for e in logins(6000) if e.source_address.startswith("192.0.2.")]
    failed = sum(e.outcome == "failure" for e in inside) / len(inside)
    assert failed == pytest.approx(0.035, abs=0.01)


def test_intruders_try_sixty_times_at_night_from_one_address():
    """Two bursts in 6,000 attempts, each within eleven minutes, and none gets in."""
    strange = [e for e in logins(6000) if e.source_address.startswith("203.0.113.")]
    by_address = Counter(e.source_address for e in strange)
    assert by_address == {"203.0.113.1": 60, "203.0.113.2": 60}
    assert {e.outcome for e in strange} == {"failure"}
    assert {e.occurred_at.hour for e in strange} <= {2, 3}
    first = [e.occurred_at for e in strange if e.source_address == "203.0.113.1"]
    assert max(first) - min(first) < timedelta(minutes=11)
