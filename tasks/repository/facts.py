"""Counted facts and rules of the HL7 platform, read from its contract views."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.postgres.server import Connection
from tasks.repository.seal import Fact


CONTRACT = "hl7_contract"


@dataclass(frozen=True)
class Question:
    """A query that needs some views; its subjects name no patient."""

    name: str
    views: frozenset[str]
    query: str


def _orphans(view: str) -> Question:
    """Ask how many rows of a view belong to a patient who is not there."""
    return Question(
        f"{view.replace('_', ' ')} without a patient",
        frozenset({view, "patients"}),
        f"select count(*) from hl7_contract.{view} v left join hl7_contract.patients p"  # noqa: S608
        " using (patient_id) where p.patient_id is null",
    )


COUNTED = (
    Question(
        "messages of each connection",
        frozenset({"messages", "connections"}),
        "select coalesce(c.name, '(none)'), count(*) from hl7_contract.messages m"
        " left join hl7_contract.connections c using (connection_id) group by 1",
    ),
    Question(
        "messages of each status",
        frozenset({"messages"}),
        "select status, count(*) from hl7_contract.messages group by 1",
    ),
    Question(
        "messages of each type",
        frozenset({"messages"}),
        "select message_type, count(*) from hl7_contract.messages group by 1",
    ),
)
"""Each gives subjects and their counts."""

RULES = (
    Question(
        "control ids used twice by one sender",
        frozenset({"messages"}),
        "select count(*) from (select 1 from hl7_contract.messages where control_id <> ''"
        " group by connection_id, sending_application, sending_facility, control_id"
        " having count(*) > 1) twice",
    ),
    Question(
        "messages of an unknown status",
        frozenset({"messages"}),
        "select count(*) from hl7_contract.messages"
        " where status not in ('R', 'F', 'T', 'S', 'Q', 'E', 'P')",
    ),
    Question(
        "messages with an unknown acknowledgement",
        frozenset({"messages"}),
        "select count(*) from hl7_contract.messages"
        " where ack_code not in ('AA', 'AE', 'AR', 'CA', 'CE', 'CR')",
    ),
    Question(
        "messages processed before they were received",
        frozenset({"messages"}),
        "select count(*) from hl7_contract.messages where processed_at < received_at",
    ),
    Question(
        "messages without a key, or with one used twice",
        frozenset({"messages"}),
        "select count(*) - count(distinct message_id) from hl7_contract.messages",
    ),
    Question(
        "messages of an unknown connection",
        frozenset({"messages", "connections"}),
        "select count(*) from hl7_contract.messages m left join hl7_contract.connections c"
        " using (connection_id) where m.connection_id is not null and c.connection_id is null",
    ),
    Question(
        "patients without a key, or with one used twice",
        frozenset({"patients"}),
        "select count(*) - count(distinct patient_id) from hl7_contract.patients",
    ),
    *map(_orphans, ("encounters", "diagnoses", "medications", "lab_results")),
)
"""Each counts how often a rule is broken; real senders do break some, so the source is the bar."""


def count(connection: Connection, database: str) -> list[Fact]:
    """Count the facts of a database; none where it does not hold the contract views."""
    return [
        Fact(question.name, f"{database}: {subject}", value)
        for question in _answerable(connection, COUNTED)
        for subject, value in connection.execute(question.query.encode())
    ]


def broken(connection: Connection, database: str) -> list[Fact]:
    """Count how often each rule is broken in a database; none without the contract views."""
    return [
        Fact(question.name, database, value)
        for question in _answerable(connection, RULES)
        for (value,) in connection.execute(question.query.encode())
    ]


def _answerable(connection: Connection, questions: Sequence[Question]) -> list[Question]:
    """Return the questions whose views a database holds; some of the contract are optional."""
    rows = connection.execute(
        "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = %s",
        [CONTRACT],
    )
    there = {name for (name,) in rows}
    return [question for question in questions if question.views <= there]
