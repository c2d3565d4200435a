"""What a message says of itself, of a patient and of a visit."""

from datetime import UTC, date, datetime

import pytest

from tasks.hl7.parser.envelope import envelope, patient, visit
from tasks.hl7.parser.framing import Piece
from tasks.hl7.parser.message import parse
from tasks.hl7.parser.reasons import Note


def read(*segments, event="ADT^A01^ADT_A01", at="20261123080000"):
    """Parse a message of an event."""
    head = rf"MSH|^~\&|ADT|HOSP|HUB|LAB|{at}||{event}|42|P|2.5"
    return parse(Piece(0, "\r".join([head, *segments]).encode()))


def test_the_header_is_read():
    """Everything that messages are routed and counted by."""
    head = envelope(read())
    assert (head.message_type, head.trigger_event, head.structure) == ("ADT", "A01", "ADT_A01")
    assert (head.control_id, head.version, head.kind) == ("42", "2.5", "ADT^A01")
    assert (head.sending_application, head.sending_facility) == ("ADT", "HOSP")
    assert (head.receiving_application, head.receiving_facility) == ("HUB", "LAB")
    assert head.message_time == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert head.ack_code is None


def test_a_type_without_an_event_is_a_kind_by_itself():
    """Acknowledgements often have none; MSA-1 says how they ended."""
    head = envelope(read("MSA|AE|41|what went wrong", event="ACK"))
    assert (head.kind, head.trigger_event, head.ack_code) == ("ACK", None, "AE")


def test_a_code_that_is_not_in_its_table_is_left_out():
    """The message keeps what it said."""
    assert envelope(read("MSA|XX|41")).ack_code is None
    assert patient(read("PID|1||77|||||female")).sex is None


def test_an_impossible_date_is_left_out_and_noted():
    """It is never an exception, and never another day."""
    message = read("PID|1||77||DOE||19801303", at="20261340")
    assert envelope(message).message_time is None
    assert patient(message).birth_date is None
    assert message.notes == [Note.IMPOSSIBLE_DATE, Note.IMPOSSIBLE_DATE]


def test_a_patient_is_read():
    """Name, birth, sex, address, phone; what is not there is None."""
    found = patient(
        read(
            "PID|1||77^^^HOSP^MR~88^^^OTHER||DOE^JANE^Q||198002031200|F|||"
            "1 MAIN ST^^TOWN^ST^12345^US||555-0100"
        )
    )
    assert (found.identifier, found.authority) == ("77", "HOSP")
    assert (found.family_name, found.given_name, found.middle_name) == ("DOE", "JANE", "Q")
    assert (found.birth_date, found.sex) == (date(1980, 2, 3), "F")
    assert (found.street, found.city, found.region) == ("1 MAIN ST", "TOWN", "ST")
    assert (found.postal_code, found.country, found.phone) == ("12345", "US", "555-0100")
    assert (found.is_deceased, found.deceased_at, found.former) == (False, None, None)


@pytest.mark.parametrize("segment", ["PID|1", "PID|1||", 'PID|1||""', "PID|1||^^^HOSP", "NTE|1"])
def test_nobody_is_made_up(segment):
    """Without an identifier there is no patient."""
    assert patient(read(segment)) is None


@pytest.mark.parametrize(
    ("ending", "is_deceased", "at"),
    [
        ("|Y", True, None),
        ("|N", False, None),
        ("20261120|Y", True, datetime(2026, 11, 20, tzinfo=UTC)),
        ("20261120|", True, datetime(2026, 11, 20, tzinfo=UTC)),
    ],
)
def test_who_died_is_known_by_either_field(ending, is_deceased, at):
    """PID-30, or a time in PID-29."""
    found = patient(read("PID|1||77" + "|" * 26 + ending))
    assert (found.is_deceased, found.deceased_at) == (is_deceased, at)


def test_a_merge_names_whom_it_gives_up():
    """MRG-1."""
    assert patient(read("PID|1||77", "MRG|88^^^HOSP", event="ADT^A40")).former == "88"


PV1 = "PV1|1|I|WARD^2^3|||||||MED" + "|" * 9 + "V1"


@pytest.mark.parametrize(
    ("event", "admitted", "discharged", "cancelled", "reopened"),
    [
        ("A01", True, False, False, False),
        ("A04", True, False, False, False),
        ("A08", False, False, False, False),
        ("A03", False, True, False, False),
        ("A11", False, False, True, False),
        ("A13", False, False, False, True),
    ],
)
def test_an_event_moves_a_visit(event, admitted, discharged, cancelled, reopened):
    """Where PV1 gives no time, the message's own counts."""
    message = read("PID|1||77", PV1, event=f"ADT^{event}")
    found = visit(message, envelope(message))
    assert (found.number, found.patient_class) == ("V1", "I")
    assert (found.location, found.service) == ("WARD", "MED")
    assert (found.admitted_at is not None, found.discharged_at is not None) == (
        admitted,
        discharged,
    )
    assert (found.is_cancelled, found.is_reopened) == (cancelled, reopened)


def test_the_times_of_the_visit_win_over_that_of_the_message():
    """PV1-44 and PV1-45."""
    times = "|" * 17 + "01" + "|" * 8 + "20261120|20261122"
    message = read("PID|1||77", PV1 + times, event="ADT^A03")
    found = visit(message, envelope(message))
    assert found.admitted_at == datetime(2026, 11, 20, tzinfo=UTC)
    assert found.discharged_at == datetime(2026, 11, 22, tzinfo=UTC)
    assert found.disposition == "01"


def test_a_visit_without_a_number_is_none_and_an_unknown_class_is_unknown():
    """A class that HL7 does not know breaks nothing."""
    message = read("PID|1||77", "PV1|1|I|WARD")
    assert visit(message, envelope(message)) is None
    message = read("PID|1||77", PV1.replace("|I|", "|inpatient|"))
    assert visit(message, envelope(message)).patient_class == "U"
