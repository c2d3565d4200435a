"""Fill the platform for a benchmark, gigabytes in a minute: the server makes the rows itself.

Values come from hashes of row numbers, so a seed determines them; they follow the hours of the day
but tell no story. For coherent histories see `generate`.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from tasks.control import clock
from tasks.control.errors import Refused
from tasks.hl7.generator import bulk_statements, interfaces, rhythm
from tasks.hl7.generator.systems import SYSTEMS
from tasks.hl7.platform import partitions
from tasks.postgres.server import Connection, Server


DAYS = 90
BATCH = 50_000
"""Messages a transaction: large enough to be fast, small enough to show progress and to stop."""

WORKERS = 2

_SIZE = """
select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint from pg_class c
where c.relnamespace = 'hl7'::regnamespace and c.relkind = 'r'
"""

_RESERVE = """
select setval(s, coalesce(pg_sequence_last_value(s), 0) + %s) - %s
from (select %s::regclass as s) x
"""


@dataclass(frozen=True)
class Filled:
    """What a fill has brought: rows by table, megabytes with indexes, and seconds."""

    rows: dict[str, int]
    megabytes: float
    seconds: float


@dataclass(frozen=True)
class Batch:
    """Some hours, and the messages of each by their numbers."""

    begins: list[datetime]
    seconds: list[float]
    firsts: list[int]
    counts: list[int]


def fill(
    server: Server,
    messages: int = 10_000_000,
    *,
    seed: int,
    now: datetime | None = None,
    span: timedelta = timedelta(days=DAYS),
) -> Filled:
    """Add so many messages of a span, the last 90 days, with patients, visits, results and events.

    About a gigabyte is 725,000 messages. Everything is logged in the WAL, so that backups and
    standbys see it; a fill that breaks off leaves whole batches.

    Raises:
        Refused: the platform holds a fill of this seed already.
        Transient: the server cannot be reached.

    """
    end = now or clock.now()
    begin = end - span
    started = monotonic()
    partitions.ensure(server, begin, end)
    with server.connect() as connection:
        _refuse_a_second(server, connection, seed)
        before = _size(connection)
        known = _known(connection, messages, seed, begin, end)
        rows = {
            table: connection.execute(statement, known).rowcount
            for table, statement in bulk_statements.FIRST.items()
        }
    with ThreadPoolExecutor(WORKERS) as pool:
        done = pool.map(
            lambda batch: _put(server, known, batch), batches(messages, begin, end, seed)
        )
        rows["messages"] = sum(done)
    with server.connect() as connection:
        connection.execute("analyze")
        grown = _size(connection) - before
    return Filled(rows, grown / 1e6, monotonic() - started)


def batches(messages: int, begin: datetime, end: datetime, seed: int) -> Iterator[Batch]:
    """Yield the messages hour by hour as the rhythm has them, some hours at a time."""
    span = list(rhythm.hours(begin, end, seed))
    total = sum(share for _, _, share in span)
    batch, reached, given = Batch([], [], [], []), 0.0, 0
    for index, (at, until, share) in enumerate(span, start=1):
        reached += share
        upto = messages if index == len(span) else int(messages * reached / total)
        batch.begins.append(at)
        batch.seconds.append((until - at).total_seconds())
        batch.firsts.append(given)
        batch.counts.append(upto - given)
        given = upto
        if given - batch.firsts[0] >= BATCH or index == len(span):
            yield batch
            batch = Batch([], [], [], [])


def _refuse_a_second(server: Server, connection: Connection, seed: int) -> None:
    found = connection.execute(
        "select 1 from hl7.patients where identifier = %s", [f"B{seed:05}-000000000"]
    ).fetchone()
    if found:
        raise Refused(
            "the platform is filled already",
            stanza=server.stanza,
            seen=f"patients of seed {seed}",
            expected="a seed that was not used",
            do="choose another seed",
        )


def _known(
    connection: Connection, messages: int, seed: int, begin: datetime, end: datetime
) -> dict[str, Any]:
    """Return what the statements need: how many rows of each table, and the ids reserved."""
    counts = {"messages": messages, "patients": messages // 20 + 1, "encounters": messages // 8 + 1}
    bases = {}
    for table, count in counts.items():
        row = connection.execute(_RESERVE, [count, count, f"hl7.{table}_id_seq"]).fetchone()
        assert row is not None  # noqa: S101 - a query that gives one row
        bases[f"{table}_base"] = row[0] + 1
    ids = interfaces.register(connection)
    return {
        **counts,
        **bases,
        "prefix": f"B{seed:05}",
        "seed": seed,
        "begin": begin,
        "end": end,
        "connection_ids": [ids[system.name] for system in SYSTEMS],
    }


def _put(server: Server, known: dict[str, Any], batch: Batch) -> int:
    """Insert one batch of messages with their keys; return how many."""
    with server.connect() as connection:
        connection.execute("set synchronous_commit = off")
        return connection.execute(bulk_statements.MESSAGES, known | vars(batch)).rowcount


def _size(connection: Connection) -> int:
    row = connection.execute(_SIZE).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always gives a row
    return int(row[0])
