"""The rows of `hl7.connections`: which systems the generated platform is connected to."""

from collections.abc import Sequence

from tasks.hl7.generator.systems import PLATFORM, SYSTEMS, System
from tasks.postgres.server import Connection


_PUT = """
insert into hl7.connections (name, system, direction, sending_application, sending_facility,
  receiving_application, receiving_facility, version, charset)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (name) do nothing
"""


def register(connection: Connection, systems: Sequence[System] = SYSTEMS) -> dict[str, int]:
    """Enter the systems that are not known yet; return the ids of all connections by name.

    What an operator has changed in a connection stays as it is.
    """
    with connection.cursor() as cursor:
        cursor.executemany(_PUT, [_row(system) for system in systems])
    return dict(connection.execute("select name, id from hl7.connections").fetchall())


def _row(system: System) -> tuple[str, ...]:
    """Return the row; acknowledgements go the other way under the same connection."""
    there = (system.application, system.facility)
    ends = (there, PLATFORM) if system.direction == "inbound" else (PLATFORM, there)
    known = (system.name, system.kind, system.direction)
    return (*known, *ends[0], *ends[1], system.version, system.charset)
