"""What happens in a visit, in which order."""

from datetime import UTC, date, datetime
from random import Random

import pytest

from tasks.hl7.generator import conditions, crowd, people, systems, visits


NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def steps(script, seed):
    """Return the steps of one visit by time: hours and trigger events."""
    rng = Random(seed)
    somebody = people.person(7, seed, "HARBORSIDE", NOON.date())
    age = somebody.age(NOON.date())
    reason = conditions.acute(rng, age, somebody.sex)
    visit = visits.opened(rng, somebody, systems.HARBOR, number="V1", reason=reason, age=age)
    return sorted(script(rng, visit), key=lambda step: step[0])


def triggers(script, seeds=range(400)):
    """Return the sequences of trigger events that a script gives."""
    return [[step.trigger for _, step in steps(script, seed)] for seed in seeds]


@pytest.mark.parametrize("script", [*(script for script, _, _ in visits.SCRIPTS), visits.birth])
def test_a_script_ends_with_its_last_step(script):
    """One last step, and nothing but results after it."""
    for seed in range(200):
        found = [step for _, step in steps(script, seed)]
        last = [index for index, step in enumerate(found) if step.is_last]
        assert len(last) == 1
        assert {step.trigger for step in found[last[0] + 1 :]} <= {"R01"}


def test_an_inpatient_is_admitted_first_and_discharged_once():
    """A01 comes first; A03 or A11 once."""
    found = triggers(visits.inpatient)
    assert {sequence[0] for sequence in found} == {"A01"}
    assert {sequence.count("A03") + sequence.count("A11") for sequence in found} == {1}


def test_a_cancelled_admission_has_nothing_but_its_cancellation():
    """About one in fifty."""
    found = [sequence for sequence in triggers(visits.inpatient, range(2000)) if "A11" in sequence]
    assert 20 < len(found) < 70
    assert all(sequence == ["A01", "A11"] for sequence in found)


def test_a_result_follows_each_order():
    """As many results as orders, each later than its order."""
    for seed in range(200):
        ordered = {
            s.order.number: at for at, s in steps(visits.inpatient, seed) if s.trigger == "O01"
        }
        results = {
            s.order.number: at for at, s in steps(visits.inpatient, seed) if s.trigger == "R01"
        }
        assert ordered.keys() == results.keys()
        assert all(results[number] > at for number, at in ordered.items())


def test_an_emergency_takes_two_to_eight_hours():
    """From registration to discharge."""
    for seed in range(100):
        found = steps(visits.emergency, seed)
        end = next(at for at, step in found if step.trigger == "A03")
        assert found[0][1].trigger == "A04"
        assert 2 <= end <= 8


def test_an_appointment_comes_a_day_to_two_weeks_before_the_visit():
    """SIU first, ADT when it has come."""
    for seed in range(100):
        found = steps(visits.outpatient, seed)
        assert [step.trigger for _, step in found[:2]] == ["S12", "A04"]
        assert 23 <= found[1][0] <= 14 * 24 + 2


def test_a_vaccination_is_of_somebody_present():
    """Registered, vaccinated, gone."""
    assert set(map(tuple, triggers(visits.vaccination))) == {("A04", "V04", "A03")}


def test_an_update_of_somebody_absent_belongs_to_no_visit():
    """Otherwise the platform would keep a visit that never ends."""
    visit = steps(visits.update, 1)[0][1].visit
    assert (visit.patient_class, visit.number) == ("N", "")


def test_a_newborn_stays_on_the_nursery():
    """An inpatient from the first message on."""
    visit = steps(visits.birth, 1)[0][1].visit
    assert (visit.patient_class, visit.location[:4], visit.service) == ("I", "NURS", "NEW")


def test_a_transfer_moves_the_patient():
    """The bed before is kept for the message."""
    here = crowd.Crowd(7, date(2026, 8, 25))
    first = next(
        step
        for step in (here.arrival(NOON, ())[0][1] for _ in range(200))
        if step.trigger == "A01" and step.visit.service == "MED"
    )
    before = first.visit.location
    here.happen(visits.Step("A02", first.visit), NOON)
    assert first.visit.prior_location == before
    assert first.visit.location != before


def test_nobody_comes_twice_at_a_time():
    """Who is here is not chosen again until the last step has happened."""
    here = crowd.Crowd(7, date(2026, 8, 25))
    present = []
    for _ in range(500):
        arrived = here.arrival(NOON, ())
        if len(arrived) > 1:
            present.append(arrived[-1][1].visit.person.identifier)
    assert len(present) == len(set(present)) > 300


def test_nobody_comes_to_a_system_that_is_silent():
    """Its patients would send messages that nobody hears."""
    here = crowd.Crowd(7, date(2026, 8, 25))
    quiet = {"Harborside EMR", "Scheduling"}
    arrived = [here.arrival(NOON, quiet)[0][1] for _ in range(300)]
    assert {step.visit.system.name for step in arrived} == {"Northgate EMR", "Meadow Clinic EMR"}
    assert "S12" not in {step.trigger for step in arrived}


def test_the_dead_do_not_come_back():
    """Only old inpatients die here, one in 25."""
    here = crowd.Crowd(7, date(2026, 8, 25))
    dead, seen_again = set(), []
    for _ in range(3000):
        arrived = here.arrival(NOON, ())
        if arrived[0][1].visit.person.identifier in dead:
            seen_again.append(arrived)
        for _, step in arrived:
            here.happen(step, NOON)
            if step.visit.is_deceased:
                dead.add(step.visit.person.identifier)
                assert step.visit.disposition == "20"
                assert step.visit.patient_class == "I"
                assert step.visit.age >= 60
    assert 2 < len(dead) < 60
    assert seen_again == []
