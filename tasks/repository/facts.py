"""Counted facts of the HL7 platform, read from its contract views: what its owner would notice."""

from tasks.postgres.server import Connection
from tasks.repository.model import Fact


VIEWS = "hl7_contract"

COUNTED = {
    "messages of connection": """
        select coalesce(c.name, '(none)'), count(*) from hl7_contract.messages m
        left join hl7_contract.connections c on c.connection_id = m.connection_id group by 1""",
    "messages with status": "select status, count(*) from hl7_contract.messages group by 1",
    "control ids used twice by one sender": """
        select 'all', count(*) from (
          select 1 from hl7_contract.messages where control_id <> ''
          group by connection_id, sending_application, sending_facility, control_id
          having count(*) > 1) x""",
}
"""By name of the check: a query that gives subjects, which name no patient, and their counts."""


def count(connection: Connection, database: str) -> list[Fact]:
    """Count the facts of a database; none where it does not hold the contract views."""
    if not has_contract(connection):
        return []
    return [
        Fact(check, f"{database}: {subject}", value)
        for check, query in COUNTED.items()
        for subject, value in connection.execute(query)
    ]


def has_contract(connection: Connection) -> bool:
    """Tell whether a database holds the contract views."""
    row = connection.execute(
        "select 1 from pg_views where schemaname = %s and viewname = 'messages'", [VIEWS]
    ).fetchone()
    return row is not None
