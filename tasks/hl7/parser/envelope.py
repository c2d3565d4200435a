"""What a message says of itself and of whom it is about: the fields that the platform routes by."""

from dataclasses import dataclass
from datetime import date, datetime

from tasks.control.hl7_tables import PATIENT_CLASSES
from tasks.hl7.parser import times
from tasks.hl7.parser.message import Message
from tasks.hl7.parser.reasons import Note
from tasks.hl7.platform.values import ACK_CODES, SEXES


@dataclass(frozen=True, slots=True)
class Envelope:
    """Header, event and acknowledgement; an absent value is None."""

    message_type: str
    trigger_event: str | None
    structure: str | None
    control_id: str | None
    version: str | None
    message_time: datetime | None
    sending_application: str | None
    sending_facility: str | None
    receiving_application: str | None
    receiving_facility: str | None
    ack_code: str | None

    @property
    def kind(self) -> str:
        """Type and event, such as `ADT^A01`."""
        return (
            f"{self.message_type}^{self.trigger_event}" if self.trigger_event else self.message_type
        )


@dataclass(frozen=True, slots=True)
class Patient:
    """Whom a message is about (PID); `former` is whom a merge gives up (MRG-1)."""

    identifier: str
    authority: str
    family_name: str | None = None
    given_name: str | None = None
    middle_name: str | None = None
    birth_date: date | None = None
    sex: str | None = None
    is_deceased: bool = False
    deceased_at: datetime | None = None
    street: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    phone: str | None = None
    former: str | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """The visit that a message belongs to (PV1)."""

    number: str
    patient_class: str
    location: str | None
    service: str | None
    admitted_at: datetime | None
    discharged_at: datetime | None
    disposition: str | None
    is_cancelled: bool
    is_reopened: bool


def envelope(message: Message) -> Envelope:
    """Read the header; a date that cannot be is noted, and left out."""
    header, value = message.fields("MSH"), message.value
    ack = value(message.fields("MSA"), 1)
    return Envelope(
        message_type=message.key(header, 9),
        trigger_event=message.key(header, 9, 2) or None,
        structure=value(header, 9, 3) or None,
        control_id=message.key(header, 10) or None,
        version=value(header, 12) or None,
        message_time=when(message, header, 7),
        sending_application=value(header, 3) or None,
        sending_facility=value(header, 4) or None,
        receiving_application=value(header, 5) or None,
        receiving_facility=value(header, 6) or None,
        ack_code=ack if ack in ACK_CODES else None,
    )


def patient(message: Message) -> Patient | None:
    """Read whom a message is about; None where it names nobody by an identifier."""
    pid, value = message.fields("PID"), message.value
    identifier = message.key(pid, 3)
    if not identifier:
        return None
    sex, died = value(pid, 8), when(message, pid, 29)
    return Patient(
        identifier=identifier,
        authority=message.key(pid, 3, 4),
        family_name=value(pid, 5) or None,
        given_name=value(pid, 5, 2) or None,
        middle_name=value(pid, 5, 3) or None,
        birth_date=_day(message, pid, 7),
        sex=sex if sex in SEXES else None,
        is_deceased=value(pid, 30) == "Y" or died is not None,
        deceased_at=died,
        street=value(pid, 11) or None,
        city=value(pid, 11, 3) or None,
        region=value(pid, 11, 4) or None,
        postal_code=value(pid, 11, 5) or None,
        country=value(pid, 11, 6) or None,
        phone=value(pid, 13) or None,
        former=message.key(message.fields("MRG"), 1) or None,
    )


def visit(message: Message, head: Envelope) -> Visit | None:
    """Read the visit of a message; None where it has no number.

    Args:
        message: the message.
        head: its header; A01 and A04 admit, A03 discharges, A11 and A13 take that back.

    """
    pv1, value = message.fields("PV1"), message.value
    number = message.key(pv1, 19)
    if not number:
        return None
    kind, event, said = value(pv1, 2), head.trigger_event, head.message_time
    return Visit(
        number=number,
        patient_class=kind if kind in PATIENT_CLASSES else "U",
        location=value(pv1, 3) or None,
        service=value(pv1, 10) or None,
        admitted_at=when(message, pv1, 44) or (said if event in ("A01", "A04") else None),
        discharged_at=when(message, pv1, 45) or (said if event == "A03" else None),
        disposition=value(pv1, 36) or None,
        is_cancelled=event == "A11",
        is_reopened=event == "A13",
    )


def when(message: Message, fields: list[str], number: int, component: int = 1) -> datetime | None:
    """Read a time stamp; one that names no moment is noted, and left out."""
    text = message.value(fields, number, component)
    if not text:
        return None
    found = times.moment(text)
    if found is None:
        message.notes.append(Note.IMPOSSIBLE_DATE)
    return found


def _day(message: Message, fields: list[str], number: int) -> date | None:
    text = message.value(fields, number)
    if not text:
        return None
    found = times.day(text)
    if found is None:
        message.notes.append(Note.IMPOSSIBLE_DATE)
    return found
