"""One message read in full, with what is known of its transport: what the platform stores."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks.hl7.parser import envelope, findings
from tasks.hl7.parser.envelope import Envelope, Patient, Visit
from tasks.hl7.parser.findings import Diagnosis, Medication, Result
from tasks.hl7.parser.message import Message


@dataclass(frozen=True, slots=True)
class Transport:
    """How a message came or went; `connection` is a name, None: told by the sender."""

    received_at: datetime
    processed_at: datetime | None
    sent_at: datetime | None
    connection: str | None
    direction: str
    status: str
    ack_code: str | None = None
    error_code: str | None = None
    error_category: str | None = None
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Reading:
    """A message and all that was read from it."""

    message: Message
    sha256: bytes
    transport: Transport
    head: Envelope
    patient: Patient | None
    visit: Visit | None
    diagnoses: Sequence[Diagnosis]
    medications: Sequence[Medication]
    results: Sequence[Result]


def read(message: Message, transport: Transport) -> Reading:
    """Read everything that the platform stores; what belongs to nobody is not read further."""
    head = envelope.envelope(message)
    patient = envelope.patient(message)
    known = patient is not None
    return Reading(
        message=message,
        sha256=message.sha256,
        transport=transport,
        head=head,
        patient=patient,
        visit=envelope.visit(message, head) if known else None,
        diagnoses=list(findings.diagnoses(message)) if known else (),
        medications=list(findings.medications(message)) if known else (),
        results=list(findings.results(message)) if known else (),
    )
