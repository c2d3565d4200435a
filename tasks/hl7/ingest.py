"""Bring HL7 v2 into the platform: every piece that is offered is accounted for."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from tasks.control import clock
from tasks.control.errors import Refused
from tasks.hl7.generator.traffic import Generated
from tasks.hl7.parser.framing import Piece, bare, pieces
from tasks.hl7.parser.message import Message, Rejected, parse
from tasks.hl7.parser.reading import Reading, Transport, read
from tasks.hl7.platform import partitions, schema
from tasks.hl7.sources import find
from tasks.hl7.storage.store import Connections, quarantine, store
from tasks.postgres.server import Connection, Server


log = logging.getLogger(__name__)

BATCH = 1000
"""Messages of one transaction."""

Progress = Callable[[int], None]
"""Called with the number of pieces that were offered so far."""

Offer = tuple[Piece, Transport]


@dataclass
class Counts:
    """What became of what was offered; `accepted + duplicates + quarantined == offered`.

    Passed over are entries of directories that are not files: nobody knows what they would hold.
    """

    offered: int = 0
    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    by_type: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    passed_over: int = 0


def ingest(
    server: Server,
    sources: Sequence[str],
    *,
    connection: str | None = None,
    batch: int = BATCH,
    progress: Progress = lambda _offered: None,
) -> Counts:
    """Load files, directories (with what is below them) and `-` for standard input.

    Idempotent by the canonical bytes of a message: a message that is known is a duplicate, whatever
    file, frame or line end it comes in. A batch is one transaction, so that after a kill the same
    call brings in what is missing and nothing twice.

    Args:
        server: the platform's database.
        sources: paths, or `-`.
        connection: name of the interface that they came on; None: told by the sender.
        batch: messages of one transaction.
        progress: told after each batch.

    Raises:
        Refused: a path is not there or cannot be read, the connection is not known, or the
            platform is not installed; nothing is loaded.
        Transient: the server cannot be reached; what was loaded stays.

    """
    offered = find(sources)
    now = clock.now()
    way = Transport(now, now, None, connection, "inbound", "T")
    offers = ((piece, way) for stream in offered.streams() for piece in pieces(stream))
    counts = load(server, offers, connection=connection, batch=batch, progress=progress)
    counts.passed_over = offered.passed_over
    return counts


def load_generated(server: Server, stream: Iterable[Generated]) -> Counts:
    """Load generated messages with their transport; see `populate`."""

    def offers() -> Iterator[Offer]:
        for number, made in enumerate(stream):
            way = Transport(
                received_at=made.received_at,
                processed_at=made.processed_at,
                sent_at=made.sent_at,
                connection=made.connection,
                direction=made.direction,
                status=made.status,
                ack_code=made.ack_code,
                error_code=made.error_code,
                error_category=made.error_category,
                attempts=made.attempts,
            )
            yield Piece(number, bare(made.raw)), way

    return load(server, offers())


def load(
    server: Server,
    offers: Iterable[Offer],
    *,
    connection: str | None = None,
    batch: int = BATCH,
    progress: Progress = lambda _offered: None,
) -> Counts:
    """Load pieces with their transport, a batch a transaction; see `ingest`.

    Raises:
        Refused: the platform is not installed, or does not know the connection.

    """
    if not schema.is_installed(server):
        raise Refused(
            "the platform's tables are missing",
            stanza=server.stanza,
            expected="the schema hl7",
            do="hl7ops ingest into the embedded platform, or install the schema",
        )
    counts, left = Counts(), iter(offers)
    now = clock.now()
    partitions.ensure(server, now, now)
    with server.connect() as session:
        known = _connections(session)
        if connection is not None:
            _see_that_it_is_known(connection, known, server.stanza)
        while some := list(islice(left, batch)):
            _load_batch(session, some, known, counts)
            progress(counts.offered)
    log.info("%d offered, %d accepted", counts.offered, counts.accepted)
    return counts


def _load_batch(
    connection: Connection, some: list[Offer], known: Connections, counts: Counts
) -> None:
    readings: list[Reading] = []
    rejected: list[Rejected] = []
    for piece, way in some:
        parsed = parse(piece)
        if isinstance(parsed, Message):
            readings.append(read(parsed, way))
        else:
            rejected.append(parsed)
    with connection.transaction():
        accepted = store(connection, readings, known)
        quarantine(connection, rejected, some[0][1].received_at)
    counts.offered += len(some)
    counts.accepted += len(accepted)
    counts.duplicates += len(readings) - len(accepted)
    counts.quarantined += len(rejected)
    counts.by_type.update(reading.head.kind for reading in accepted)
    counts.reasons.update(each.reason.value for each in rejected)
    counts.notes.update(note.value for each in accepted for note in each.message.notes)


def _see_that_it_is_known(connection: str, known: Connections, stanza: str) -> None:
    if connection in known:
        return
    names = sorted(name for name in known if isinstance(name, str))
    raise Refused(
        "the platform does not know this connection",
        stanza=stanza,
        seen=connection,
        expected=f"one of {', '.join(names)}" if names else "a connection; there is none yet",
        do="correct the name, or leave it out: the sender tells it",
    )


def _connections(connection: Connection) -> Connections:
    rows = connection.execute(
        "select id, name, sending_application, sending_facility from hl7.connections order by id"
    ).fetchall()
    senders = {(application, facility): key for key, _, application, facility in rows}
    return {**senders, **{name: key for key, name, _, _ in rows}}
