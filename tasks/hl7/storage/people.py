"""Store whom messages are about: patients and their visits, the last word of a batch counting."""

from collections.abc import Sequence
from dataclasses import fields, replace
from operator import attrgetter
from typing import TypeVar

from tasks.hl7.parser.envelope import Patient, Visit
from tasks.hl7.storage.copying import staged
from tasks.hl7.storage.stored import Stored
from tasks.postgres.server import Connection


_PATIENT = {
    "identifier": "text",
    "assigning_authority": "text",
    "family_name": "text",
    "given_name": "text",
    "middle_name": "text",
    "birth_date": "date",
    "sex": "text",
    "is_deceased": "bool",
    "deceased_at": "timestamptz",
    "street": "text",
    "city": "text",
    "region": "text",
    "postal_code": "text",
    "country": "text",
    "phone": "text",
    "former": "text",
    "said_at": "timestamptz",
}

_OVERWRITTEN = (
    "family_name",
    "given_name",
    "middle_name",
    "birth_date",
    "sex",
    "deceased_at",
    "street",
    "city",
    "region",
    "postal_code",
    "country",
    "phone",
)

_PUT_PATIENTS = f"""
insert into hl7.patients as p (identifier, assigning_authority, {", ".join(_OVERWRITTEN)},
  is_deceased, first_seen_at, updated_at)
select identifier, assigning_authority, {", ".join(_OVERWRITTEN)}, is_deceased, said_at, said_at
from staged_patients order by identifier, assigning_authority
on conflict (identifier, assigning_authority) do update set
  {", ".join(f"{name} = coalesce(excluded.{name}, p.{name})" for name in _OVERWRITTEN)},
  is_deceased = p.is_deceased or excluded.is_deceased,
  first_seen_at = least(p.first_seen_at, excluded.first_seen_at),
  updated_at = greatest(p.updated_at, excluded.updated_at)
returning identifier, assigning_authority, id
"""  # noqa: S608 - names of columns

_MERGE = """
update hl7.patients p set merged_into = k.id
from staged_patients s
  join hl7.patients k using (identifier, assigning_authority)
where p.identifier = s.former and p.assigning_authority = s.assigning_authority and p.id <> k.id
"""

_VISIT = {
    "patient_id": "int8",
    "visit_number": "text",
    "patient_class": "text",
    "location": "text",
    "service": "text",
    "admitted_at": "timestamptz",
    "discharged_at": "timestamptz",
    "disposition": "text",
    "is_cancelled": "bool",
    "is_reopened": "bool",
    "said_at": "timestamptz",
}

_PUT_VISITS = """
insert into hl7.encounters as e (patient_id, visit_number, patient_class, location, service,
  admitted_at, discharged_at, disposition, is_cancelled, updated_at)
select patient_id, visit_number, patient_class, location, service, admitted_at,
  discharged_at, disposition, is_cancelled, said_at
from staged_visits order by patient_id, visit_number
on conflict (patient_id, visit_number) do update set
  patient_class = case excluded.patient_class when 'U' then e.patient_class
    else excluded.patient_class end,
  location = coalesce(excluded.location, e.location),
  service = coalesce(excluded.service, e.service),
  admitted_at = coalesce(excluded.admitted_at, e.admitted_at),
  discharged_at = coalesce(excluded.discharged_at, e.discharged_at),
  disposition = coalesce(excluded.disposition, e.disposition),
  is_cancelled = e.is_cancelled or excluded.is_cancelled,
  updated_at = greatest(e.updated_at, excluded.updated_at)
returning patient_id, visit_number, id
"""

_REOPEN = """
update hl7.encounters e set discharged_at = null
from staged_visits s
where s.is_reopened and e.patient_id = s.patient_id and e.visit_number = s.visit_number
"""

Said = TypeVar("Said", Patient, Visit)

_values_of_patient = attrgetter(*(field.name for field in fields(Patient)))
_values_of_visit = attrgetter(*(field.name for field in fields(Visit)))


def _merged(before: Said, after: Said) -> Said:
    """Return what two messages say together: the later one counts where it says something."""
    said = {
        field.name: getattr(after, field.name) or getattr(before, field.name)
        for field in fields(after)
    }
    if isinstance(after, Visit) and after.is_reopened:
        said["discharged_at"] = None
    return replace(after, **said)


def patients(connection: Connection, fresh: Sequence[Stored]) -> list[Stored]:
    """Store the patients of new messages; return the messages with their patients' keys."""
    known: dict[tuple[str, str], tuple[Patient, Stored]] = {}
    for stored in fresh:
        patient = stored.reading.patient
        if patient is None:
            continue
        if patient.former:
            former = Patient(patient.former, patient.authority)
            known.setdefault((former.identifier, former.authority), (former, stored))
        key = (patient.identifier, patient.authority)
        before = known.get(key)
        known[key] = (_merged(before[0], patient) if before else patient, stored)
    rows = [(*_values_of_patient(patient), stored.said_at) for patient, stored in known.values()]
    staged(connection, "staged_patients", _PATIENT, rows)
    found = connection.execute(_PUT_PATIENTS.encode()).fetchall()
    connection.execute(_MERGE)
    ids = {(identifier, authority): key for identifier, authority, key in found}

    def keyed(stored: Stored) -> Stored:
        patient = stored.reading.patient
        key = ids[patient.identifier, patient.authority] if patient else None
        return replace(stored, patient_id=key)

    return [keyed(stored) for stored in fresh]


def encounters(connection: Connection, fresh: Sequence[Stored]) -> list[Stored]:
    """Store the visits of new messages; return the messages with their visits' keys."""
    known: dict[tuple[int, str], tuple[Visit, Stored]] = {}
    for stored in fresh:
        visit = stored.reading.visit
        if visit is None or stored.patient_id is None:
            continue
        key = (stored.patient_id, visit.number)
        before = known.get(key)
        known[key] = (_merged(before[0], visit) if before else visit, stored)
    rows = [
        (key[0], *_values_of_visit(visit), stored.said_at) for key, (visit, stored) in known.items()
    ]
    staged(connection, "staged_visits", _VISIT, rows)
    found = connection.execute(_PUT_VISITS).fetchall()
    connection.execute(_REOPEN)
    ids = {(patient, number): key for patient, number, key in found}

    def keyed(stored: Stored) -> Stored:
        visit, patient = stored.reading.visit, stored.patient_id
        key = ids[patient, visit.number] if visit and patient is not None else None
        return replace(stored, encounter_id=key)

    return [keyed(stored) for stored in fresh]
