"""The contract as data: the views that everything else reads, and what each column means.

Another platform's database joins by defining these views over its own tables. There is no name, no
address below the postal code, no telephone number and no message text in them: what is not shown
cannot leak into a report.
"""

import sys
from collections.abc import Mapping

from tasks.control.hl7_tables import PATIENT_CLASSES
from tasks.hl7.platform import values
from tasks.hl7.platform.promise import TYPES, Column, View, markdown


SCHEMA = "hl7_contract"


def _key(name: str, meaning: str) -> Column:
    return Column(name, "bigint", meaning, source="id")


def _text(name: str, meaning: str, known: Mapping[str, str] | None = None) -> Column:
    return Column(name, "text", meaning, values=known)


def _maybe(name: str, meaning: str, known: Mapping[str, str] | None = None) -> Column:
    return Column(name, "text", meaning, is_nullable=True, values=known)


def _at(name: str, meaning: str) -> Column:
    return Column(name, "timestamptz", meaning)


def _maybe_at(name: str, meaning: str) -> Column:
    return Column(name, "timestamptz", meaning, is_nullable=True)


_PATIENT = Column("patient_id", "bigint", "whose it is", references="patients")
_ENCOUNTER = Column(
    "encounter_id", "bigint", "the visit, where known", is_nullable=True, references="encounters"
)
_CODE = (
    _text("code", "code of what it is"),
    _text("coding_system", "system of the code such as I10 or LN; empty where not said"),
    _maybe("description", "what the code means, in words"),
)

CONNECTIONS = View(
    "connections",
    "interfaces to the connected systems",
    (
        _key("connection_id", "key of the interface"),
        _text("name", "name that operators know it by, unique"),
        _text("system", "kind of system: emr, laboratory, pharmacy, radiology, registry, ..."),
        _text("direction", "which way its messages go", values.DIRECTIONS),
        Column("is_active", "boolean", "whether messages are expected on it"),
        _maybe("sending_application", "MSH-3 that it sends with"),
        _maybe("sending_facility", "MSH-4 that it sends with"),
        _maybe("version", "HL7 version that was agreed"),
    ),
    is_required=True,
)

PATIENTS = View(
    "patients",
    "one row a patient, without name and street",
    (
        _key("patient_id", "key of the patient"),
        _text("identifier", "medical record number; never leaves the database"),
        Column("birth_date", "date", "day of birth", is_nullable=True),
        _maybe("sex", "administrative sex, HL7 table 0001", values.SEXES),
        Column("is_deceased", "boolean", "whether the patient has died"),
        _maybe_at("deceased_at", "when the patient died"),
        _maybe("city", "city of residence"),
        _maybe("region", "region or state of residence"),
        _maybe("postal_code", "postal code of residence"),
        _maybe("country", "country of residence"),
        Column(
            "merged_into",
            "bigint",
            "the patient that this one was found to be; such a row is not counted",
            is_nullable=True,
            references="patients",
        ),
        _at("first_seen_at", "when the platform first heard of the patient"),
        _at("updated_at", "when the row last changed"),
    ),
)

ENCOUNTERS = View(
    "encounters",
    "visits, from admission to discharge",
    (
        _key("encounter_id", "key of the visit"),
        _PATIENT,
        _text("visit_number", "number of the visit (PV1-19)"),
        _text("patient_class", "HL7 table 0004", PATIENT_CLASSES),
        _maybe("location", "ward or clinic"),
        _maybe("service", "hospital service"),
        _maybe_at("admitted_at", "when it began"),
        _maybe_at("discharged_at", "when it ended; NULL while it lasts"),
        _maybe("disposition", "where the patient was discharged to, HL7 table 0112"),
        Column("is_cancelled", "boolean", "whether the admission was taken back"),
    ),
)

MESSAGES = View(
    "messages",
    "one row a message, without its text",
    (
        _key("message_id", "key of the message"),
        Column(
            "connection_id",
            "bigint",
            "the interface it came or went on",
            is_nullable=True,
            references="connections",
        ),
        _at("received_at", "when the platform received it; what hours and days are counted by"),
        _maybe_at("processed_at", "when the platform had done its part"),
        _maybe_at("sent_at", "when it was delivered to the receiver"),
        _maybe_at("message_time", "MSH-7, by the sender's clock"),
        _text("direction", "which way it went", values.DIRECTIONS),
        _text("status", "state in the integration engine", values.STATUSES),
        _maybe("ack_code", "acknowledgement, HL7 table 0008; NULL: none came", values.ACK_CODES),
        _maybe("error_code", "code of the error, without a word of the message"),
        _maybe("error_category", "kind of the error", values.ERROR_CATEGORIES),
        Column("attempts", "bigint", "how often it was sent"),
        _text("message_type", "MSH-9.1, such as ADT"),
        _maybe("trigger_event", "MSH-9.2, such as A01"),
        _maybe("version", "MSH-12"),
        _maybe("control_id", "MSH-10"),
        _maybe("sending_application", "MSH-3"),
        _maybe("sending_facility", "MSH-4"),
        _maybe("receiving_application", "MSH-5"),
        _maybe("receiving_facility", "MSH-6"),
        Column("size_bytes", "bigint", "length of the message"),
        _maybe("patient_identifier", "PID-3, to count distinct patients; not to be shown"),
    ),
    is_required=True,
)

DIAGNOSES = View(
    "diagnoses",
    "diagnoses of patients",
    (
        _key("diagnosis_id", "key of the diagnosis"),
        _PATIENT,
        _ENCOUNTER,
        *_CODE,
        _maybe("kind", "admitting, working or final, HL7 table 0052"),
        _at("recorded_at", "when it was recorded"),
        _maybe_at("onset_at", "when it began"),
        _maybe_at("abated_at", "when it ended; NULL: it is active"),
    ),
)

MEDICATIONS = View(
    "medications",
    "medications that were ordered",
    (
        _key("medication_id", "key of the order"),
        _PATIENT,
        _ENCOUNTER,
        *_CODE,
        Column("dose", "number", "amount given at a time, in `dose_unit`", is_nullable=True),
        _maybe("dose_unit", "unit of the dose"),
        _maybe("route", "way of giving it, HL7 table 0162"),
        _at("started_at", "when it began"),
        _maybe_at("ended_at", "when it ended; NULL: it goes on"),
    ),
)

LAB_RESULTS = View(
    "lab_results",
    "observations of the laboratory",
    (
        _key("result_id", "key of the observation"),
        _PATIENT,
        _ENCOUNTER,
        *_CODE,
        Column("value_number", "number", "the value where it is a number", is_nullable=True),
        _maybe("value_text", "the value where it is none"),
        _maybe("unit", "unit of the value"),
        _maybe("reference_range", "what is normal, as the laboratory says it"),
        _maybe("abnormal_flag", "HL7 table 0078: N normal, L and H outside, LL and HH far outside"),
        _maybe("result_status", "HL7 table 0085", values.RESULT_STATUSES),
        _at("observed_at", "when the specimen was taken or the observation made"),
    ),
)

AUDIT_EVENTS = View(
    "audit_events",
    "who did what on the platform",
    (
        _key("event_id", "key of the event"),
        _at("occurred_at", "when"),
        _text("actor", "user or service that acted"),
        _text("action", "what was done: view, export, change, ..."),
        _text("object_type", "kind of object it was done to"),
        _text("outcome", "how it ended", values.OUTCOMES),
    ),
)

LOGIN_EVENTS = View(
    "login_events",
    "attempts to log in to the platform",
    (
        _key("event_id", "key of the attempt"),
        _at("occurred_at", "when"),
        _text("username", "account that was tried"),
        _text("outcome", "how it ended", values.OUTCOMES),
        _maybe("reason", "why it failed: password, locked, expired, unknown"),
        _maybe("source_address", "network address that it came from"),
    ),
)

VIEWS = (
    CONNECTIONS,
    PATIENTS,
    ENCOUNTERS,
    MESSAGES,
    DIAGNOSES,
    MEDICATIONS,
    LAB_RESULTS,
    AUDIT_EVENTS,
    LOGIN_EVENTS,
)
"""The contract, those that are referred to first."""


def page() -> str:
    """Return `CONTRACT.md`; `python -m tasks.hl7.platform.views` prints it, too."""
    types = "\n".join(f"| {name} | {', '.join(taken)} |" for name, taken in TYPES.items())
    return (
        f"# The contract\n\nWhat reads the platform reads the views of the schema `{SCHEMA}`, and"
        " nothing else.\nDefine them over another platform's tables, and it is operated and"
        " understood like the embedded one.\nEvery column must be there; more may be."
        " An optional view may be missing as a whole.\n\n"
        f"| type | types of PostgreSQL that are taken |\n|---|---|\n{types}\n\n{markdown(VIEWS)}"
    )


if __name__ == "__main__":
    sys.stdout.write(page())
