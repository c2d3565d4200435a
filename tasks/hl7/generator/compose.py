"""Write generated messages segment by segment, in the dialect of the system that carries them."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random

from tasks.hl7.generator import names, systems
from tasks.hl7.generator.panels import PANELS, Measured, measure
from tasks.hl7.generator.systems import System
from tasks.hl7.generator.trouble import Outcome
from tasks.hl7.generator.visits import Step, Visit


STRUCTURES = {
    "A01": "ADT_A01", "A02": "ADT_A02", "A03": "ADT_A03", "A04": "ADT_A01", "A08": "ADT_A01",
    "A11": "ADT_A09", "A40": "ADT_A39", "O01": "ORM_O01", "R01": "ORU_R01", "O11": "RDE_O11",
    "S12": "SIU_S12", "V04": "VXU_V04",
}  # fmt: skip
"""Structure of each trigger event; its first three letters are the message type."""

_CARRIERS = {
    "R01": systems.LABORATORY,
    "O11": systems.PHARMACY,
    "S12": systems.SCHEDULING,
    "V04": systems.REGISTRY,
}

_MOST_DIAGNOSES = 4

_COMMENTS = (
    "Specimen slightly hemolysed \\T\\ repeated",
    "Called to ward \\F\\ read back",
    "Fasting state not known",
)


def carrier(step: Step) -> System:
    """Return the system on whose interface a message goes: the patient's own, or a service."""
    return _CARRIERS.get(step.trigger, step.visit.system)


def message(rng: Random, step: Step, at: datetime, control_id: str) -> bytes:
    """Write the message of a step, complete with line endings and in the system's character set."""
    system = carrier(step)
    kind = STRUCTURES[step.trigger]
    segments = [
        _header(system, kind, step.trigger, at, control_id),
        *_BODIES[kind[:3]](rng, step, at, system),
    ]
    return _encoded(segments, system)


def acknowledgement(
    system: System, outcome: Outcome, at: datetime, control_id: str, *, of: str, trigger: str
) -> bytes:
    """Write what the receiver answers to the message with the control id `of`."""
    segments = [
        _header(system, "ACK", trigger, at, control_id, is_answer=True),
        f"MSA|{outcome.ack_code}|{of}",
    ]
    if outcome.error_code:
        segments.append(f"ERR|||{outcome.error_code}^^HL70357|E")
    return _encoded(segments, system)


def _encoded(segments: list[str], system: System) -> bytes:
    text = system.ending.join(segments) + system.ending
    if system.codec == "ascii":
        text = names.plain(text)
    return text.encode(system.codec)


def _header(
    system: System,
    kind: str,
    trigger: str,
    at: datetime,
    control_id: str,
    *,
    is_answer: bool = False,
) -> str:
    """Write MSH; the structure is named from version 2.4 on, a character set where one is used."""
    structure = f"^{kind}" if system.version >= "2.4" else ""
    ends = (system.receiver, system.sender) if is_answer else (system.sender, system.receiver)
    modes = "AL|NE" if system.is_enhanced else "|"
    tail = f"|||{modes}||{system.charset}" if system.charset else ""
    return (
        f"MSH|{system.encoding_characters}|{'|'.join(ends[0])}|{'|'.join(ends[1])}"
        f"|{_stamp(at, system)}||{kind[:3]}^{trigger}{structure}|{control_id}|P"
        f"|{system.version}{tail}"
    )


def _stamp(moment: datetime | None, system: System) -> str:
    """Write a moment in UTC; with the zone from version 2.4 on."""
    if moment is None:
        return ""
    zone = "+0000" if system.version >= "2.4" else ""
    return f"{moment:%Y%m%d%H%M%S}{zone}"


def _patient(visit: Visit, system: System) -> str:
    """Write PID; one who has died says when, and that."""
    person = visit.person
    end = f"{'|' * 16}{_stamp(visit.discharged_at, system)}|Y" if visit.is_deceased else ""
    return (
        f"PID|1||{person.identifier}^^^{person.authority}^MR||{person.family}^{person.given}"
        f"^{person.middle}||{person.birth_date:%Y%m%d}|{person.sex}|||{person.street}^^{person.city}"
        f"^{person.region}^{person.postal_code}^USA||{person.phone}{end}"
    )


def _visit(visit: Visit, system: System) -> str:
    """Write PV1 up to the time of discharge, which is field 45."""
    return (
        f"PV1|1|{visit.patient_class}|{visit.location}|||{visit.prior_location}"
        f"|1001^{visit.attending}|||{visit.service}{'|' * 9}{visit.number}{'|' * 17}"
        f"{visit.disposition}{'|' * 8}{_stamp(visit.admitted_at, system)}"
        f"|{_stamp(visit.discharged_at, system)}"
    )


def _diagnoses(visit: Visit, system: System, kind: str) -> Iterator[str]:
    """Write DG1: the reason first, then what the patient lives with, since when."""
    reason = visit.reason
    since = _stamp(visit.admitted_at, system)
    yield f"DG1|1||{reason.code}^{reason.name}^I10||{since}|{kind}"
    born = visit.person.birth_date
    for index, condition in enumerate(visit.person.conditions[:_MOST_DIAGNOSES], start=2):
        onset = born + timedelta(days=int(condition.from_age * 365.25))
        yield f"DG1|{index}||{condition.code}^{condition.name}^I10||{onset:%Y%m%d}|W"


def _admission(_rng: Random, step: Step, at: datetime, system: System) -> Iterator[str]:
    yield f"EVN|{step.trigger}|{_stamp(at, system)}"
    yield _patient(step.visit, system)
    if step.trigger == "A40":
        yield f"MRG|{step.visit.merged_identifier}^^^{step.visit.person.authority}^MR"
        return
    yield _visit(step.visit, system)
    if step.trigger in ("A01", "A03", "A04"):
        yield from _diagnoses(step.visit, system, "F" if step.trigger == "A03" else "A")


def _order(_rng: Random, step: Step, at: datetime, system: System) -> Iterator[str]:
    code, name, _ = PANELS[step.order.panel]
    yield _patient(step.visit, system)
    yield _visit(step.visit, system)
    yield _common_order("NW", step, at, system)
    yield f"OBR|1|{step.order.number}||{code}^{name}^LN|||{_stamp(at, system)}"


def _common_order(control: str, step: Step, at: datetime, system: System) -> str:
    return (
        f"ORC|{control}|{step.order.number}{'|' * 7}{_stamp(at, system)}|||1001^"
        f"{step.visit.attending}"
    )


def _result(rng: Random, step: Step, at: datetime, system: System) -> Iterator[str]:
    code, name, _ = PANELS[step.order.panel]
    taken = _stamp(at - timedelta(minutes=rng.randint(25, 60)), system)
    number = step.order.number
    yield _patient(step.visit, system)
    yield _visit(step.visit, system)
    yield (
        f"OBR|1|{number}|F{number}|{code}^{name}^LN|||{taken}{'|' * 9}1001^{step.visit.attending}"
        f"{'|' * 6}{_stamp(at, system)}||LAB|F"
    )
    values = measure(rng, step.order.panel, step.visit.person, step.visit.reason.code)
    for index, measured in enumerate(values, start=1):
        yield _observation(index, measured, taken)
    if rng.random() < 0.06:  # noqa: PLR2004
        yield f"NTE|1|L|{rng.choice(_COMMENTS)}"


def _observation(index: int, measured: Measured, taken: str) -> str:
    analyte = measured.analyte
    return (
        f"OBX|{index}|NM|{analyte.code}^{analyte.name}^LN||{measured.value}|{analyte.unit}"
        f"|{analyte.low:g}-{analyte.high:g}|{measured.flag}|||F|||{taken}"
    )


def _prescription(_rng: Random, step: Step, at: datetime, system: System) -> Iterator[str]:
    medication = step.order.medication
    assert medication is not None  # noqa: S101 - scripts order a medication with O11
    yield _patient(step.visit, system)
    yield _visit(step.visit, system)
    yield _common_order("NW", step, at, system)
    yield (
        f"RXE|^^^{_stamp(at, system)}|{medication.code}^{medication.name}^RXNORM"
        f"|{medication.dose}||{medication.unit}"
    )
    yield f"RXR|{medication.route}^^HL70162"


def _appointment(_rng: Random, step: Step, at: datetime, system: System) -> Iterator[str]:
    begin = _stamp(at + timedelta(hours=step.order.appointment_h), system)
    yield f"SCH|{step.order.number}|||||{step.visit.reason.code}|||30|min|^^^{begin}"
    yield _patient(step.visit, system)
    yield "RGS|1|A"
    yield f"AIL|1|A|{step.visit.location}"


def _vaccination(_rng: Random, step: Step, at: datetime, system: System) -> Iterator[str]:
    code, name = step.order.vaccine
    given = _stamp(at, system)
    yield _patient(step.visit, system)
    yield _common_order("RE", step, at, system)
    yield f"RXA|0|1|{given}|{given}|{code}^{name}^CVX|0.5|mL"
    yield "RXR|IM^^HL70162"


_BODIES: dict[str, Callable[[Random, Step, datetime, System], Iterator[str]]] = {
    "ADT": _admission,
    "ORM": _order,
    "ORU": _result,
    "RDE": _prescription,
    "SIU": _appointment,
    "VXU": _vaccination,
}
