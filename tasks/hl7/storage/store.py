"""Store a batch of messages: what is new goes in, in the caller's transaction, set by set."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from tasks.hl7.parser.framing import lines
from tasks.hl7.parser.message import Rejected
from tasks.hl7.parser.reading import Reading
from tasks.hl7.storage import findings as store_findings
from tasks.hl7.storage import people as store_people
from tasks.hl7.storage.copying import copy
from tasks.hl7.storage.stored import Stored
from tasks.postgres.server import Connection


Connections = Mapping[str | tuple[str | None, str | None], int]
"""Ids of connections, by name, and by sending application and facility."""

_TEXT = (
    "direction",
    "status",
    "ack_code",
    "error_code",
    "error_category",
    "message_type",
    "trigger_event",
    "structure",
    "version",
    "charset",
    "control_id",
    "sending_application",
    "sending_facility",
    "receiving_application",
    "receiving_facility",
    "patient_identifier",
)

_COLUMNS = {
    "id": "int8",
    "received_at": "timestamptz",
    "sent_at": "timestamptz",
    "processed_at": "timestamptz",
    "message_time": "timestamptz",
    "connection_id": "int8",
    "size_bytes": "int4",
    "attempts": "int2",
    **dict.fromkeys(_TEXT, "text"),
    "content_sha256": "bytea",
    "raw": "bytea",
}


def store(
    connection: Connection, readings: Sequence[Reading], connections: Connections
) -> list[Reading]:
    """Store the readings whose bytes are new, and return those, in order of arrival.

    Rows that several loads may touch are taken in the order of their keys, so that two loads at
    once wait for each other and do not deadlock.

    Args:
        connection: within a transaction.
        readings: a batch, in order of arrival.
        connections: which connection a name or a sender means.

    """
    fresh = _claimed(connection, readings)
    if not fresh:
        return []
    copy(connection, "hl7.messages", _COLUMNS, (_row(stored, connections) for stored in fresh))
    fresh = store_people.patients(connection, fresh)
    fresh = store_people.encounters(connection, fresh)
    store_findings.store(connection, fresh)
    return [stored.reading for stored in fresh]


def quarantine(connection: Connection, rejected: Sequence[Rejected], received_at: datetime) -> None:
    """Keep what is no message, verbatim, with the reason; once, whatever ends its lines."""
    connection.cursor().executemany(
        "insert into hl7.quarantine (received_at, position, size_bytes, reason, content_sha256,"
        " raw) values (%s, %s, %s, %s, %s, %s) on conflict (content_sha256) do nothing",
        [
            (
                received_at,
                r.piece.number,
                len(r.piece.bytes),
                r.reason,
                hashlib.sha256(b"\r".join(lines(r.piece.bytes))).digest(),
                r.piece.bytes,
            )
            for r in rejected
        ],
    )


def _claimed(connection: Connection, readings: Sequence[Reading]) -> list[Stored]:
    """Enter the digests that are new: who enters one first stores the message."""
    first: dict[bytes, Reading] = {}
    for reading in readings:
        first.setdefault(reading.sha256, reading)
    numbers = connection.execute(
        "select nextval('hl7.messages_id_seq') from generate_series(1, %s)", [len(first)]
    ).fetchall()
    ids = {digest: number for digest, (number,) in zip(first, numbers, strict=True)}
    ordered = sorted(first)
    rows = connection.execute(
        "insert into hl7.message_keys (content_sha256, received_at, message_id)"
        " select * from unnest(%s::bytea[], %s::timestamptz[], %s::bigint[])"
        " on conflict do nothing returning content_sha256",
        [
            ordered,
            [first[digest].transport.received_at for digest in ordered],
            [ids[digest] for digest in ordered],
        ],
    )
    new = {digest for (digest,) in rows}
    return [Stored(first[digest], ids[digest]) for digest in first if digest in new]


def _row(stored: Stored, connections: Connections) -> tuple[object, ...]:
    reading = stored.reading
    head, way, patient = reading.head, reading.transport, reading.patient
    sender = (head.sending_application, head.sending_facility)
    return (
        stored.message_id,
        way.received_at,
        way.sent_at,
        way.processed_at,
        head.message_time,
        connections.get(way.connection or sender),
        len(reading.message.raw),
        way.attempts,
        way.direction,
        way.status,
        way.ack_code or head.ack_code,
        way.error_code,
        way.error_category,
        head.message_type,
        head.trigger_event,
        head.structure,
        head.version,
        reading.message.codec,
        head.control_id,
        *sender,
        head.receiving_application,
        head.receiving_facility,
        patient.identifier if patient else None,
        reading.sha256,
        reading.message.raw,
    )
