"""What a message says about a patient: each finding with what stands around it."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tasks.hl7.parser import findings
from tasks.hl7.parser.framing import Piece
from tasks.hl7.parser.message import parse
from tasks.hl7.parser.reasons import Note


def read(*segments):
    """Parse a message with these segments."""
    head = r"MSH|^~\&|LAB|HOSP|HUB|HOSP|20261123080000||ORU^R01|42|P|2.5"
    return parse(Piece(0, "\r".join([head, *segments]).encode()))


def results(*segments):
    """Read the results of a message."""
    return list(findings.results(read(*segments)))


def test_diagnoses_are_read_and_those_without_a_code_are_left():
    """Each has a code, a system and the time at which it was recorded."""
    first, second = findings.diagnoses(
        read("DG1|1||I10^Pressure^I10||20261122|A", "DG1|2|||words", "DG1|3||E11")
    )
    assert (first.coded.code, first.coded.description, first.coded.system) == (
        "I10",
        "Pressure",
        "I10",
    )
    assert (first.kind, first.recorded_at) == ("A", datetime(2026, 11, 22, tzinfo=UTC))
    assert (second.coded.code, second.coded.description, second.coded.system) == ("E11", None, "")


@pytest.mark.parametrize(
    ("value", "number", "text"),
    [
        ("NM|K||4.10", Decimal("4.10"), None),
        ("NM|K||-0.5", Decimal("-0.5"), None),
        ("NM|K||+7", Decimal(7), None),
        ("NM|K||1e3", Decimal(1000), None),
        ("SN|K||>^100", Decimal(100), None),
        ("SN|K||^5^-^7", Decimal(5), None),
        ("NM|K||high", None, "high"),
        ("NM|K||NaN", None, "NaN"),
        ("NM|K||Infinity", None, "Infinity"),
        ("NM|K||1e99999", None, "1e99999"),
        ("NM|K||", None, None),
        ("ST|K||4.1", None, "4.1"),
        ("TX|K||clear", None, "clear"),
    ],
)
def test_a_number_is_a_number_and_everything_else_is_text(value, number, text):
    """By its type (OBX-2), and only where it is finite and of a size that a column holds."""
    (found,) = results(f"OBX|1|{value}")
    assert (found.number, found.text) == (number, text)


def test_a_result_knows_its_order_its_time_and_its_range():
    """OBR-3 before OBR-2, OBX-14 before OBR-7."""
    own, other = results(
        "OBR|1|P1|F1|CBC|||20261123070000",
        "OBX|1|NM|K^Potassium^LN||5.9|mmol/L|3.5-5.1|H|||F|||20261123071500",
        "OBR|2|P2||GLU|||20261123060000",
        "OBX|1|NM|G||99||||||x",
    )
    assert (own.order_number, own.unit, own.reference_range) == ("F1", "mmol/L", "3.5-5.1")
    assert (own.abnormal_flag, own.status) == ("H", "F")
    assert own.observed_at == datetime(2026, 11, 23, 7, 15, tzinfo=UTC)
    assert (other.order_number, other.status) == ("P2", None)
    assert other.observed_at == datetime(2026, 11, 23, 6, tzinfo=UTC)


def test_a_result_without_a_code_or_an_order_breaks_nothing():
    """The first is left out; the second has no order."""
    (found,) = results("OBX|1|NM|||4.1", "OBX|2|NM|K||4.1")
    assert (found.order_number, found.observed_at) == (None, None)


def test_an_impossible_time_of_a_result_is_noted():
    """The order's time stands for it."""
    message = read("OBR|1|P1||CBC|||20261123", "OBX|1|NM|K||4.1|||||||||20261399")
    (found,) = findings.results(message)
    assert found.observed_at == datetime(2026, 11, 23, tzinfo=UTC)
    assert message.notes == [Note.IMPOSSIBLE_DATE]


@pytest.mark.parametrize(
    ("segment", "dose", "unit"),
    [
        ("RXE|1^^^20261123090000|ASA^Aspirin^RX|100||mg", Decimal(100), "mg"),
        ("RXO|ASA^Aspirin^RX|50||mg", Decimal(50), "mg"),
        ("RXA|0|1|20261123090000||ASA^Aspirin^RX|2|TAB", Decimal(2), "TAB"),
        ("RXE||ASA^Aspirin^RX|some||mg", None, "mg"),
    ],
)
def test_a_medication_is_read_whether_ordered_or_given(segment, dose, unit):
    """Drug, amount and unit stand elsewhere in each kind of segment."""
    (found,) = findings.medications(
        read("ORC|NW|P7||||||20261123085500|20261123090000", segment, "RXR|PO^Oral")
    )
    assert (found.coded.code, found.coded.system) == ("ASA", "RX")
    assert (found.dose, found.dose_unit, found.route) == (dose, unit, "PO")
    assert found.order_number == "P7"
    assert found.started_at == datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_a_medication_without_a_drug_is_left_and_one_without_an_order_is_not():
    """A route counts only where it follows its drug."""
    (found,) = findings.medications(read("RXE|||100||mg", "RXE||ASA|1", "NTE|1", "RXR|PO"))
    assert (found.order_number, found.route, found.started_at) == (None, None, None)
