"""Counted facts of the HL7 platform, read from its contract views: what its owner would notice."""

from tasks.postgres.server import Connection
from tasks.repository.model import Fact


VIEWS = "hl7_contract"

COUNTED = {
    "messages of each connection": """
        select coalesce(c.name, '(none)'), count(*) from hl7_contract.messages m
        left join hl7_contract.connections c using (connection_id) group by 1""",
    "messages of each status": "select status, count(*) from hl7_contract.messages group by 1",
    "messages of each type": "select message_type, count(*) from hl7_contract.messages group by 1",
}
"""By name of the check: a query for subjects, none of which names a patient, and their counts."""

VIOLATIONS = {
    "control ids used twice by one sender": """
        select count(*) from (
          select 1 from hl7_contract.messages where control_id <> ''
          group by connection_id, sending_application, sending_facility, control_id
          having count(*) > 1) twice""",
    "messages of an unknown status": """
        select count(*) from hl7_contract.messages
        where status not in ('R', 'F', 'T', 'S', 'Q', 'E', 'P')""",
    "encounters without a patient": """
        select count(*) from hl7_contract.encounters e
        left join hl7_contract.patients p using (patient_id) where p.patient_id is null""",
    "diagnoses without a patient": """
        select count(*) from hl7_contract.diagnoses d
        left join hl7_contract.patients p using (patient_id) where p.patient_id is null""",
    "medications without a patient": """
        select count(*) from hl7_contract.medications m
        left join hl7_contract.patients p using (patient_id) where p.patient_id is null""",
    "lab results without a patient": """
        select count(*) from hl7_contract.lab_results l
        left join hl7_contract.patients p using (patient_id) where p.patient_id is null""",
    "patients without an identifier or with one used twice": """
        select count(*) - count(distinct (identifier, assigning_authority))
        from hl7_contract.patients""",
    "patients born in the future": """
        select count(*) from hl7_contract.patients where birth_date > first_seen_at::date + 1""",
    "messages processed before they were received": """
        select count(*) from hl7_contract.messages where processed_at < received_at""",
}
"""By name of the rule: a query that counts how often it is broken; real senders do break some."""


def count(connection: Connection, database: str) -> list[Fact]:
    """Count the facts of a database; none where it does not hold the contract views."""
    if not has_contract(connection):
        return []
    return [
        Fact(check, f"{database}: {subject}", value)
        for check, query in COUNTED.items()
        for subject, value in connection.execute(query)
    ]


def broken(connection: Connection, database: str) -> list[Fact]:
    """Count how often each rule is broken in a database that holds the contract views."""
    if not has_contract(connection):
        return []
    return [
        Fact(rule, database, value)
        for rule, query in VIOLATIONS.items()
        for (value,) in connection.execute(query)
    ]


def has_contract(connection: Connection) -> bool:
    """Tell whether a database holds the contract views."""
    row = connection.execute(
        "select 1 from pg_views where schemaname = %s and viewname = 'messages'", [VIEWS]
    ).fetchone()
    return row is not None
