"""Store what new messages say about their patients: diagnoses, medications, results."""

from collections.abc import Sequence

from tasks.hl7.parser.findings import Coded, Diagnosis, Medication, Result
from tasks.hl7.storage.copying import copy, staged
from tasks.hl7.storage.stored import Stored
from tasks.postgres.server import Connection


_ABOUT = {"patient_id": "int8", "encounter_id": "int8", "message_id": "int8"}

_CODED = {"code": "text", "description": "text", "coding_system": "text"}

_DIAGNOSIS = {**_ABOUT, "recorded_at": "timestamptz", **_CODED, "kind": "text"}

_MEDICATION = {
    **_ABOUT,
    "started_at": "timestamptz",
    **_CODED,
    "order_number": "text",
    "dose": "numeric",
    "dose_unit": "text",
    "route": "text",
}

_RESULT = {
    **_ABOUT,
    "observed_at": "timestamptz",
    **_CODED,
    "order_number": "text",
    "value_number": "numeric",
    "value_text": "text",
    "unit": "text",
    "reference_range": "text",
    "abnormal_flag": "text",
    "result_status": "text",
}


def store(connection: Connection, fresh: Sequence[Stored]) -> None:
    """Store the findings of new messages; a diagnosis or order that is known stays as it is."""
    diagnoses = [(*_about(of), *_diagnosis(of, d)) for of in fresh for d in of.reading.diagnoses]
    drugs = [(*_about(of), *_medication(of, m)) for of in fresh for m in of.reading.medications]
    results = ((*_about(of), *_result(of, r)) for of in fresh for r in of.reading.results)
    _put_new(connection, "diagnoses", _DIAGNOSIS, diagnoses)
    _put_new(connection, "medications", _MEDICATION, drugs)
    copy(connection, "hl7.lab_results", _RESULT, results)


def _about(of: Stored) -> tuple[object, ...]:
    return of.patient_id, of.encounter_id, of.message_id


def _diagnosis(of: Stored, d: Diagnosis) -> tuple[object, ...]:
    return d.recorded_at or of.said_at, *_coded(d.coded), d.kind


def _medication(of: Stored, m: Medication) -> tuple[object, ...]:
    began = m.started_at or of.said_at
    return began, *_coded(m.coded), m.order_number, m.dose, m.dose_unit, m.route


def _result(of: Stored, r: Result) -> tuple[object, ...]:
    seen = (r.number, r.text, r.unit, r.reference_range, r.abnormal_flag, r.status)
    return r.observed_at or of.said_at, *_coded(r.coded), r.order_number, *seen


def _coded(coded: Coded) -> tuple[str, str | None, str]:
    return coded.code, coded.description, coded.system


def _put_new(
    connection: Connection, table: str, types: dict[str, str], rows: list[tuple[object, ...]]
) -> None:
    """Insert the rows whose natural key is not there yet, in the order of that key."""
    if not rows:
        return
    columns = ", ".join(types)
    staged(connection, f"staged_{table}", types, rows)
    connection.execute(
        f"insert into hl7.{table} ({columns}) select {columns} from staged_{table}"  # noqa: S608
        " order by patient_id, coding_system, code, message_id on conflict do nothing".encode()
    )
