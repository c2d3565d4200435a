"""The queue of what is due, and the systems that messages go over."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.hl7.generator import compose, systems, trouble, visits
from tasks.hl7.generator.generate import generate
from tasks.hl7.generator.traffic import Traffic


BEGIN = datetime(2026, 8, 25, tzinfo=UTC)
END = BEGIN + timedelta(days=90)


def stream(messages, seed=7, days=90):
    """Return a stream as a list."""
    return list(generate(messages, seed=seed, end=END, days=days))


@pytest.fixture(scope="module")
def long():
    """Generate 40,000 messages of 90 days once."""
    return stream(40_000)


def test_what_somebody_begins_is_sent_at_once():
    """Nothing is due at the beginning, so the first message is an arrival's."""
    first = Traffic(7, BEGIN, END).next(BEGIN + timedelta(hours=9))
    assert first.received_at == BEGIN + timedelta(hours=9)
    assert first.raw.startswith(b"MSH|")


def test_what_is_due_comes_before_anything_new():
    """A step's message goes out at the first instant after it fell due."""
    traffic = Traffic(7, BEGIN, END)
    at = BEGIN + timedelta(hours=9)
    for _ in range(20):
        traffic.next(at)
    later = [traffic.next(at + timedelta(days=40)) for _ in range(20)]
    assert not [g for g in later if b"|ADT^A01" in g.raw or b"|SIU^S12" in g.raw]


def test_a_silent_system_sends_nothing_and_catches_up_afterwards(long):
    """No message while it lasts; more than usual in the hour after it."""
    calendar = trouble.calendar(BEGIN, END, seed=7)
    silences = [d for d in calendar["Harborside EMR"] if d.kind == "silence"]
    found = [
        g.received_at for g in long if g.connection == "Harborside EMR" and g.direction == "inbound"
    ]
    assert silences
    for silence in silences:
        assert not [at for at in found if silence.begin <= at < silence.end]
        after = [at for at in found if silence.end <= at < silence.end + timedelta(hours=1)]
        assert after


def test_queues_fill_while_the_receiver_is_away_and_empty_when_it_is_back(long):
    """Messages of the disturbance are all sent after it, in up to two minutes."""
    calendar = trouble.calendar(BEGIN, END, seed=7)
    gone = [d for d in calendar["Pharmacy"] if d.kind == "connection"]
    sent = [g for g in long if g.connection == "Pharmacy" and g.direction == "outbound"]
    held = [(g, d) for d in gone for g in sent if d.begin <= g.received_at < d.end]
    assert len(held) > 5
    assert {g.status for g, _ in held} == {"S"}
    assert all(d.end < g.sent_at <= d.end + timedelta(minutes=2) for g, d in held)


def test_only_two_systems_keep_their_acknowledgements():
    """The rest answer as well, but nobody stores it."""
    answered = {g.connection for g in stream(5000) if b"\rMSA|" in g.raw}
    assert answered == {"Harborside EMR", "Pharmacy"}


@pytest.mark.parametrize(
    ("trigger", "system"),
    [
        ("A01", systems.NORTH),
        ("O01", systems.NORTH),
        ("R01", systems.LABORATORY),
        ("O11", systems.PHARMACY),
        ("S12", systems.SCHEDULING),
        ("V04", systems.REGISTRY),
    ],
)
def test_each_kind_of_message_goes_over_its_system(trigger, system):
    """What is not a service's goes over the patient's own record."""
    visit = visits.Visit(None, systems.NORTH, "V1", "I", "", "", "", None, 40)
    assert compose.carrier(visits.Step(trigger, visit)) is system


def test_names_of_systems_are_unique():
    """They are the keys of connections."""
    names = [system.name for system in systems.SYSTEMS]
    assert len(names) == len(set(names)) == 7


@pytest.mark.parametrize("system", systems.SYSTEMS, ids=lambda system: system.name)
def test_a_system_sends_or_receives_and_the_platform_is_the_other_end(system):
    """Five send to the platform, two receive from it."""
    ends = {system.sender, system.receiver}
    assert ends == {systems.PLATFORM, (system.application, system.facility)}
    assert (system.sender == systems.PLATFORM) == (system.direction == "outbound")


def test_systems_speak_six_versions():
    """From 2.3 to 2.7, as in the field."""
    assert sorted(system.version for system in systems.SYSTEMS) == [
        "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.5.1", "2.7",
    ]  # fmt: skip


def test_systems_end_their_lines_in_three_ways():
    """CR as the standard says, LF, and both."""
    assert {system.ending for system in systems.SYSTEMS} == {"\r", "\n", "\r\n"}
