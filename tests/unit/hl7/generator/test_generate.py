"""The generated stream as a whole: repeatable, exact, coherent, and readable by others."""

import hashlib
import itertools
import math
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta, timezone

import hl7
import pytest

from tasks.control.errors import Refused
from tasks.hl7.generator import names, systems
from tasks.hl7.generator.generate import bytes_of, generate


END = datetime(2026, 11, 23, 6, tzinfo=UTC)

SYSTEMS = {system.name: system for system in systems.SYSTEMS}


def made(messages, seed=7, days=14):
    """Return a stream as a list."""
    return list(generate(messages, seed=seed, end=END, days=days))


@pytest.fixture(scope="module")
def stream():
    """Generate 12,000 messages of 14 days once for all that only look at them."""
    return made(12_000)


def fields(generated):
    """Return the segments of a message as lists of fields; MSH is shifted to its numbering."""
    system = SYSTEMS[generated.connection]
    text = generated.raw.decode(system.codec)
    lines = [line.split("|") for line in text.split(system.ending) if line]
    return [["MSH", "|", *line[1:]] if line[0] == "MSH" else line for line in lines]


def segment(generated, name):
    """Return the first segment of a name, or None."""
    return next((line for line in fields(generated) if line[0] == name), None)


def kind(generated):
    """Return message type and trigger event: `ADT^A01`."""
    return "^".join(segment(generated, "MSH")[9].split("^")[:2])


def visit_number(generated):
    """Return PV1-19, or None."""
    found = segment(generated, "PV1")
    return found[19] if found else None


def digest(stream):
    """Return one hash over the bytes of a stream."""
    return hashlib.sha256(b"".join(bytes_of(stream))).hexdigest()


def test_the_same_arguments_give_the_same_stream():
    """Bytes, times and outcomes are a function of number, seed and end."""
    assert made(500) == made(500)


def test_another_seed_gives_other_messages():
    """No message is shared, so two runs can go into one platform."""
    assert set(bytes_of(made(500))).isdisjoint(bytes_of(made(500, seed=8)))


def test_the_time_zone_of_the_end_does_not_matter():
    """One moment is one moment, however it is written."""
    elsewhere = END.astimezone(timezone(timedelta(hours=5)))
    there = generate(300, seed=7, end=elsewhere, days=14)
    assert digest(there) == digest(made(300))


@pytest.mark.parametrize("messages", [0, 1, 2, 99, 1000])
def test_exactly_as_many_messages_come_as_were_asked_for(messages):
    """Acknowledgements count like any other message."""
    assert len(made(messages)) == messages


@pytest.mark.parametrize(
    ("messages", "arguments"),
    [
        (-1, {"seed": 1, "end": END}),
        (1, {"seed": -1, "end": END}),
        (1, {"seed": 1, "end": END, "days": 0}),
        (1, {"seed": 1, "end": END, "days": math.nan}),
        (1, {"seed": 1, "end": END, "days": math.inf}),
        (1, {"seed": 1, "end": END, "days": 30_000}),
        (1, {"seed": 1, "end": END.replace(year=1)}),
        (1, {"seed": 1, "end": END.replace(year=9999)}),
        (1, {"seed": 1, "end": END.replace(tzinfo=None)}),
    ],
)
def test_what_makes_no_sense_is_refused(messages, arguments):
    """A negative number, no days, another age, or an end whose hour nobody knows."""
    with pytest.raises(Refused, match="this traffic cannot be generated"):
        generate(messages, **arguments)


def test_a_long_stream_begins_before_it_is_finished():
    """The first messages of ten million come at once."""
    first = list(itertools.islice(generate(10_000_000, seed=7, end=END), 3))
    assert len(first) == 3


def test_everything_happens_within_the_days_before_the_end(stream):
    """A message of the future would be an anomaly of the generator."""
    times = [g.received_at for g in stream]
    assert END - timedelta(days=14) <= min(times)
    assert max(times) <= END


def test_nothing_is_processed_or_sent_after_the_end(stream):
    """What has not happened yet has no time."""
    assert [g for g in stream if g.processed_at and g.processed_at > END] == []
    assert [g for g in stream if g.sent_at and g.sent_at > END + timedelta(minutes=2)] == []


def test_times_of_a_message_follow_each_other(stream):
    """Received, then processed, then sent."""
    for g in stream:
        known = [time for time in (g.received_at, g.processed_at, g.sent_at) if time]
        assert known == sorted(known)


def test_no_two_messages_are_the_same(stream):
    """The platform ingests each content once; a repeated one would be lost."""
    assert len({g.raw for g in stream}) == 12_000


def test_control_ids_are_unique(stream):
    """An acknowledgement says which message it answers."""
    assert len({segment(g, "MSH")[10] for g in stream}) == 12_000


def test_all_kinds_of_messages_occur(stream):
    """The mix of a hospital."""
    assert set(map(kind, stream)) >= {
        "ADT^A01", "ADT^A02", "ADT^A03", "ADT^A04", "ADT^A08", "ADT^A11", "ADT^A40", "ORM^O01",
        "ORU^R01", "RDE^O11", "SIU^S12", "VXU^V04", "ACK^A01", "ACK^O11",
    }  # fmt: skip


def test_all_systems_take_part(stream):
    """Seven interfaces, both directions on some."""
    assert {g.connection for g in stream} == set(SYSTEMS)


def test_every_message_is_in_its_systems_character_set(stream):
    """MSH-18 tells the truth, or nothing where the text is ASCII."""
    for g in stream:
        system = SYSTEMS[g.connection]
        g.raw.decode(system.codec)
        header = segment(g, "MSH")
        assert (header[18] if len(header) > 18 else "") == system.charset


def test_names_with_accents_reach_both_character_sets(stream):
    """Otherwise nobody would see a wrong decoding."""
    accented = {g.connection for g in stream if not g.raw.isascii()}
    assert {"Harborside EMR", "Northgate EMR"} <= accented
    assert "Meadow Clinic EMR" not in accented


def test_line_endings_are_those_of_the_system(stream):
    """One sends LF alone and one sends CR LF; both are found in the field."""
    by_system = {g.connection: g.raw for g in stream}
    assert by_system["Harborside EMR"].count(b"\n") == 0
    assert by_system["Meadow Clinic EMR"].count(b"\r") == 0
    scheduled = by_system["Scheduling"]
    assert scheduled.count(b"\r\n") == scheduled.count(b"\r") == scheduled.count(b"\n") > 0


def test_another_parser_reads_every_message(stream):
    """python-hl7 finds type and patient where we put them."""
    for g in stream[:1500]:
        system = SYSTEMS[g.connection]
        text = g.raw.decode(system.codec).replace(system.ending, "\r")
        parsed = hl7.parse(text)
        assert str(parsed.segment("MSH")[10]) == segment(g, "MSH")[10]
        if segment(g, "PID"):
            assert str(parsed.segment("PID")[3]) == segment(g, "PID")[3]


def test_a_discharge_comes_only_after_its_admission(stream):
    """For every A03 there was an A01 or A04 of the same visit."""
    begun, late = set(), []
    for g in stream:
        if kind(g) in ("ADT^A01", "ADT^A04"):
            begun.add(visit_number(g))
        if kind(g) in ("ADT^A02", "ADT^A03", "ADT^A11") and visit_number(g) not in begun:
            late.append(visit_number(g))
    assert len(begun) > 500
    assert late == []


def test_no_visit_ends_twice(stream):
    """One discharge or one cancellation a visit."""
    ends = Counter(visit_number(g) for g in stream if kind(g) in ("ADT^A03", "ADT^A11"))
    assert set(ends.values()) == {1}


def test_a_discharge_says_when_the_visit_began_and_ended(stream):
    """PV1-44 and PV1-45, in this order of time, and a disposition."""
    for g in stream:
        if kind(g) == "ADT^A03":
            visit = segment(g, "PV1")
            assert len(visit) == 46
            assert visit[44][:14] < visit[45][:14]
            assert visit[36] in ("01", "02", "03", "07", "20")


def test_a_transfer_names_the_bed_before(stream):
    """PV1-6 is where the patient was, PV1-3 where the patient is."""
    transfers = [segment(g, "PV1") for g in stream if kind(g) == "ADT^A02"]
    assert len(transfers) > 20
    assert [t for t in transfers if not t[6] or t[6] == t[3]] == []


def test_a_result_comes_only_after_its_order(stream):
    """The placer's number of every ORU was in an ORM before."""
    ordered, early = set(), []
    for g in stream:
        if kind(g) == "ORM^O01":
            ordered.add(segment(g, "ORC")[2])
        if kind(g) == "ORU^R01" and segment(g, "OBR")[2] not in ordered:
            early.append(segment(g, "OBR")[2])
    assert len(ordered) > 500
    assert early == []


def test_nobody_is_treated_before_birth(stream):
    """PID-7 is not after MSH-7, and for newborns it is the day itself."""
    on_the_day = 0
    for g in stream:
        patient = segment(g, "PID")
        if patient:
            today = segment(g, "MSH")[7][:8]
            assert patient[7] <= today
            on_the_day += patient[7] == today
    assert on_the_day > 0


def test_a_patient_keeps_number_birth_date_and_sex(stream):
    """One record number is one person in all its messages."""
    seen = defaultdict(set)
    for g in stream:
        patient = segment(g, "PID")
        if patient:
            seen[patient[3]].add((names.plain(patient[5]), patient[7], patient[8]))
    assert len(seen) > 300
    assert [number for number, people in seen.items() if len(people) > 1] == []


def test_nothing_is_heard_of_the_dead_but_late_results(stream):
    """After a discharge as expired (20) no new visit begins."""
    dead, risen = set(), []
    for g in stream:
        patient, visit = segment(g, "PID"), segment(g, "PV1")
        if kind(g) in ("ADT^A01", "ADT^A04") and patient[3] in dead:
            risen.append(patient[3])
        if visit and len(visit) > 36 and visit[36] == "20":
            assert patient[30] == "Y"
            assert patient[29] == visit[45]
            dead.add(patient[3])
    assert dead
    assert risen == []


def test_a_merge_joins_two_numbers_that_were_seen_as_one_person(stream):
    """The number in MRG-1 was registered before, with the survivor's name."""
    names = {}
    merges = 0
    for g in stream:
        patient = segment(g, "PID")
        if kind(g) == "ADT^A40":
            merges += 1
            gone = segment(g, "MRG")[1]
            assert gone != patient[3]
            assert names[gone].split("^")[:2] == patient[5].split("^")[:2]
        elif patient:
            names[patient[3]] = patient[5]
    assert merges > 2


@pytest.mark.parametrize(
    ("code", "sexes", "age"),
    [("N40.0", {"M", "U"}, 55), ("M81.0", {"F", "U"}, 60), ("F03.90", {"F", "M", "U"}, 75)],
)
def test_diagnoses_fit_age_and_sex(stream, code, sexes, age):
    """No prostate in women, no dementia in children."""
    found = 0
    for g in stream:
        patient = segment(g, "PID")
        if any(line[0] == "DG1" and line[3].startswith(code) for line in fields(g)):
            found += 1
            assert patient[8] in sexes
            assert 2026 - int(patient[7][:4]) >= age - 1
    assert found > 5


def test_what_is_chronic_comes_with_its_medication(stream):
    """A diabetic is given metformin at some time; nobody gets it without the diagnosis."""
    diabetics, given = set(), set()
    for g in stream:
        patient = segment(g, "PID")
        for line in fields(g):
            if line[0] == "DG1" and line[3].startswith("E11.9"):
                diabetics.add(patient[3])
            if line[0] == "RXE" and "metformin" in line[2]:
                given.add(patient[3])
    assert len(diabetics & given) > 20


def test_every_acknowledgement_answers_a_message_that_came_before(stream):
    """MSA-2 is the control id of a message of the same interface, in the other direction."""
    sent = {}
    answers = 0
    for g in stream:
        answer = segment(g, "MSA")
        if answer:
            answers += 1
            asked = sent[answer[2]]
            assert asked.connection == g.connection
            assert asked.direction != g.direction
            assert asked.ack_code == answer[1]
            assert asked.received_at < g.received_at
        else:
            sent[segment(g, "MSH")[10]] = g
    assert answers > 1000


def test_senders_and_receivers_are_those_of_the_direction(stream):
    """The platform is the receiver of what is inbound, and the sender of the rest."""
    for g in stream:
        header = segment(g, "MSH")
        ours = header[5:7] if g.direction == "inbound" else header[3:5]
        assert ours == ["HL7HUB", "PLATFORM"]


def test_weekends_and_nights_are_quieter(stream):
    """Sunday has less than three quarters of a Monday, three o'clock less than a fifth of ten."""
    days = Counter(g.received_at.weekday() for g in stream)
    hours = Counter(g.received_at.hour for g in stream)
    assert days[6] < 0.75 * days[0]
    assert hours[3] < 0.2 * hours[10]


def test_errors_come_with_their_categories(stream):
    """An error has a category; a success has none."""
    failed = [g for g in stream if g.status == "E"]
    assert len(failed) > 60
    assert {g.error_category for g in failed} >= {"content", "processing"}
    assert {g.error_category for g in stream if g.status in "SFT"} == {None}


def test_timeouts_have_no_acknowledgement_and_several_attempts():
    """No answer is a fourth outcome beside AA, AE and AR."""
    late = [g for g in made(20_000, seed=3, days=60) if g.error_category == "timeout"]
    assert len(late) > 3
    assert {(g.ack_code, g.direction) for g in late} == {(None, "outbound")}
    assert {g.attempts for g in late} == {3}


def test_every_name_is_from_our_own_lists(stream):
    """No name of a real person can come out."""
    families = {stem + end for stem in names.FAMILY_STEMS for end in names.FAMILY_ENDINGS}
    families |= {names.plain(family) for family in families}
    given = {*names.GIVEN_FEMALE, *names.GIVEN_MALE}
    given |= {f"Baby{name}" for name in given}
    given |= {names.plain(name) for name in given}
    for g in stream:
        patient = segment(g, "PID")
        if patient:
            family, first, _ = patient[5].split("^")
            assert family in families
            assert first in given
