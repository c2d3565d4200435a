"""What a recovery has cost: seconds by the heartbeat, and the messages to be asked for again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.postgres.server import Server
from tasks.recovery.loss import heartbeat
from tasks.recovery.loss.heartbeat import Beat


MARGIN = timedelta(minutes=10)
"""Messages are compared from so long before the last beat on: their clock may be another one."""

_MESSAGES = """
select m.message_id, coalesce(c.name, '(none)'), m.control_id, m.received_at
from hl7_contract.messages m left join hl7_contract.connections c using (connection_id)
where m.received_at >= %s order by m.received_at, m.message_id
"""


@dataclass(frozen=True)
class Lost:
    """One message that a copy lacks: on which connection, its control id, when it was received."""

    connection: str
    control_id: str | None
    received_at: datetime


@dataclass(frozen=True)
class Loss:
    """What was lost between the last beat of a copy and an incident.

    `messages` is None where there was nothing to compare with.
    """

    incident: datetime
    last: Beat
    messages: Sequence[Lost] | None = None

    @property
    def seconds(self) -> float:
        """The seconds that were lost: the recovery point, as it was."""
        return round(max((self.incident - self.last.at).total_seconds(), 0.0), 3)


def loss(copy: Server, incident: datetime, other: Server | None = None) -> Loss:
    """Measure what a copy lacks.

    Args:
        copy: the database that was restored.
        incident: when the source was lost, or when the mishap was.
        other: the source, where it can still be read, as in a drill or after a mishap; what it has
            received since, and the copy has not, is listed.

    Raises:
        Refused: the copy holds no heartbeat.

    """
    beat = heartbeat.last(copy)
    if other is None:
        return Loss(incident, beat)
    since = min(beat.at, incident) - MARGIN
    there = set(_messages(copy, since))
    missing = [row for row in _messages(other, since) if row not in there and row[3] <= incident]
    return Loss(incident, beat, [Lost(*row[1:]) for row in missing])


def _messages(server: Server, since: datetime) -> list[tuple[int, str, str | None, datetime]]:
    with server.connect(statement_timeout_s=600) as connection:
        rows = connection.execute(_MESSAGES.encode(), [since]).fetchall()
    return [(int(key), str(name), control, at) for key, name, control, at in rows]
