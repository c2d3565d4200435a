"""Generated messages, segment by segment."""

from datetime import UTC, date, datetime
from random import Random

import pytest

from tasks.hl7.generator import compose, conditions, people, systems
from tasks.hl7.generator.people import Person
from tasks.hl7.generator.trouble import Outcome
from tasks.hl7.generator.visits import Order, Step, Visit


AT = datetime(2026, 11, 23, 14, 5, 6, tzinfo=UTC)

ANNA = Person(
    identifier="00070000042",
    authority="HARBORSIDE",
    family="Probeström",
    given="Zoëlla",
    middle="A",
    birth_date=date(1950, 2, 28),
    sex="F",
    street="12 Example Lane",
    city="Samplebury",
    region="NW",
    postal_code="00112",
    phone="(555)555-0123",
    conditions=(conditions.CHRONIC[0],),
)


def visit(system=systems.HARBOR, **known):
    """Return an inpatient's visit since ten o'clock."""
    found = Visit(
        ANNA, system, "V1", "I", "3N^07^A", "Prober^Hestor", "MED", conditions.ACUTE[0], 76
    )
    found.admitted_at = AT.replace(hour=10, minute=0, second=0)
    for name, value in known.items():
        setattr(found, name, value)
    return found


def lines(trigger, *, order=None, **known):
    """Return the segments of a message."""
    step = Step(trigger, visit(**known), order or Order("V1X1"))
    raw = compose.message(Random(1), step, AT, "0007000000001")
    system = compose.carrier(step)
    return raw.decode(system.codec).split(system.ending)


@pytest.mark.parametrize(
    ("system", "header"),
    [
        (
            systems.HARBOR,
            (
                r"MSH|^~\&|MEDLEDGER|HARBORSIDE|HL7HUB|PLATFORM|20261123140506+0000||ADT^A01^ADT_A01"
                "|0007000000001|P|2.5.1||||||UNICODE UTF-8"
            ),
        ),
        (
            systems.NORTH,
            (
                r"MSH|^~\&|CAREBOOK|NORTHGATE|HL7HUB|PLATFORM|20261123140506||ADT^A01"
                "|0007000000001|P|2.3||||||8859/1"
            ),
        ),
        (
            systems.MEADOW,
            (
                r"MSH|^~\&|CLINICA|MEADOW|HL7HUB|PLATFORM|20261123140506+0000||ADT^A01^ADT_A01"
                "|0007000000001|P|2.4"
            ),
        ),
    ],
)
def test_each_system_writes_its_own_header(system, header):
    """Version, zone, structure and character set are its habits."""
    assert lines("A01", system=system)[0] == header


def test_the_laboratory_uses_five_encoding_characters_and_the_enhanced_mode():
    """Legal from version 2.7 on, and found in one of seven real messages."""
    header = lines("R01", order=Order("V1L1", panel="thyroid"))[0]
    assert header == (
        r"MSH|^~\&#|COREPATH|CENTRALLAB|HL7HUB|PLATFORM|20261123140506+0000||ORU^R01^ORU_R01"
        "|0007000000001|P|2.7|||AL|NE||UNICODE UTF-8"
    )


def test_an_admission_has_patient_visit_and_diagnoses():
    """The reason first, then what is chronic, since when."""
    assert lines("A01")[1:] == [
        "EVN|A01|20261123140506+0000",
        (
            "PID|1||00070000042^^^HARBORSIDE^MR||Probeström^Zoëlla^A||19500228|F|||12 Example Lane"
            "^^Samplebury^NW^00112^USA||(555)555-0123"
        ),
        (
            "PV1|1|I|3N^07^A||||1001^Prober^Hestor|||MED|||||||||V1|||||||||||||||||"
            "||||||||20261123100000+0000|"
        ),
        "DG1|1||J18.9^Pneumonia^I10||20261123100000+0000|A",
        "DG1|2||I10^Essential hypertension^I10||19850227|W",
        "",
    ]


def test_a_discharge_has_disposition_and_end_in_their_fields():
    """PV1-36, PV1-44 and PV1-45; the reason is final now."""
    found = lines("A03", discharged_at=AT, disposition="03")
    fields = found[3].split("|")
    assert fields[36] == "03"
    assert fields[44:] == ["20261123100000+0000", "20261123140506+0000"]
    assert found[4].endswith("|F")


def test_a_death_stands_in_the_patient():
    """PID-29 when, PID-30 that."""
    fields = lines("A03", discharged_at=AT, is_deceased=True)[2].split("|")
    assert fields[29:] == ["20261123140506+0000", "Y"]


def test_a_transfer_names_both_places():
    """PV1-3 and PV1-6."""
    fields = lines("A02", prior_location="ICU^01^A")[3].split("|")
    assert (fields[3], fields[6]) == ("3N^07^A", "ICU^01^A")


def test_a_merge_names_the_number_that_goes():
    """MRG-1, and no visit."""
    found = lines("A40", merged_identifier="0007D000001")
    assert found[3:] == ["MRG|0007D000001^^^HARBORSIDE^MR", ""]


def test_an_order_names_its_panel():
    """ORC-2 and OBR-2 are the placer's number."""
    assert lines("O01", order=Order("V1L1", panel="lipids"))[3:] == [
        "ORC|NW|V1L1|||||||20261123140506+0000|||1001^Prober^Hestor",
        "OBR|1|V1L1||57698-3^Lipid panel^LN|||20261123140506+0000",
        "",
    ]


def test_a_result_has_one_observation_an_analyte():
    """Value, unit, range, flag, status F, and when it was taken."""
    found = [
        line for line in lines("R01", order=Order("V1L1", panel="lipids")) if line[:3] == "OBX"
    ]
    first = found[0].split("|")
    assert len(found) == 3
    assert first[2:4] == ["NM", "13457-7^LDL cholesterol^LN"]
    assert first[6:8] == ["mg/dL", "40-129"]
    assert first[11] == "F"
    assert first[14] < "20261123140506+0000"


def test_a_prescription_goes_from_the_platform_to_the_pharmacy():
    """RXE-2, -3 and -5: what, how much, in which unit."""
    order = Order("V1M0", medication=conditions.CHRONIC[0].medication)
    found = lines("O11", order=order)
    assert found[0].split("|")[2:6] == ["HL7HUB", "PLATFORM", "DOSEWELL", "PHARMACY"]
    assert found[4:] == [
        "RXE|^^^20261123140506+0000|314076^lisinopril 10 MG tablet^RXNORM|10||mg",
        "RXR|PO^^HL70162",
        "",
    ]


def test_an_appointment_says_when_it_will_be():
    """SCH-11, in the scheduling system's version without a zone; its lines end in CR LF."""
    found = lines("S12", order=Order("V1S", appointment_h=24))
    assert found[1] == "SCH|V1S|||||J18.9|||30|min|^^^20261124140506"
    assert found[3:] == ["RGS|1|A", "AIL|1|A|3N^07^A", ""]


def test_a_vaccination_names_the_vaccine_by_cvx():
    """RXA-5."""
    found = lines("V04", order=Order("V1V", vaccine=("140", "influenza, seasonal")))
    assert found[3].split("|")[5] == "140^influenza, seasonal^CVX"


def test_accents_are_written_in_each_systems_way():
    """As UTF-8, as one byte, or not at all."""
    found = {
        system: compose.message(Random(1), Step("A08", visit(system)), AT, "1")
        for system in (systems.HARBOR, systems.NORTH, systems.MEADOW)
    }
    assert "Probeström^Zoëlla".encode() in found[systems.HARBOR]
    assert "Probeström^Zoëlla".encode("latin-1") in found[systems.NORTH]
    assert b"Probestrom^Zoella" in found[systems.MEADOW]


@pytest.mark.parametrize(
    ("outcome", "tail"),
    [
        (Outcome("S", "AA"), "\rMSA|AA|17\r"),
        (Outcome("E", "AE", "101", "content"), "\rMSA|AE|17\rERR|||101^^HL70357|E\r"),
    ],
)
def test_an_acknowledgement_goes_back_and_says_how_it_went(outcome, tail):
    """Sender and receiver change places; an error names its code of HL7 table 0357."""
    raw = compose.acknowledgement(systems.HARBOR, outcome, AT, "18", of="17", trigger="A01")
    text = raw.decode()
    assert text.startswith(
        r"MSH|^~\&|HL7HUB|PLATFORM|MEDLEDGER|HARBORSIDE|20261123140506+0000||ACK^A01^ACK|18|P|2.5.1"
    )
    assert text.endswith(tail)


def test_no_generated_name_holds_a_separator():
    """Nothing of it would have to be escaped."""
    everybody = [people.person(7, number, "HARBORSIDE", AT.date()) for number in range(500)]
    texts = [f"{p.family}{p.given}{p.middle}{p.street}{p.city}" for p in everybody]
    assert not set("".join(texts)) & set("|^~\\&#\r\n")
