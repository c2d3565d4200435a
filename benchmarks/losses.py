"""How exactly a loss is told: to the second by the heartbeat, to the message by its control id."""

import os
import random
import statistics
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import islice

from benchmarks.place import place
from tasks.backup import wal
from tasks.backup.take import take
from tasks.hl7 import ingest
from tasks.hl7.generator.generate import bytes_of, generate
from tasks.hl7.platform import installation
from tasks.recovery.loss import heartbeat
from tasks.recovery.loss.loss import loss
from tasks.recovery.planning.target import parse
from tasks.recovery.restoring import restored
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.restore import restore
from tasks.repository.stanza import Stanza


TRIALS = int(os.environ.pop("HL7OPS_BENCH_TRIALS", "50"))

BUSY_S = 60.0

LONGEST_S = 20.0
"""Between the point that is restored and the incident."""

_MESSAGES = """
select coalesce(c.name, '(none)'), m.control_id, m.received_at,
       pg_xact_commit_timestamp(raw.xmin)
from hl7.messages raw join hl7_contract.messages m on m.message_id = raw.id
  left join hl7_contract.connections c on c.connection_id = m.connection_id
"""


def main() -> None:
    """Let messages flow under a heartbeat; lose what came after random moments, again and again."""
    with place() as stanza:
        begun, over = _busy(stanza)
        errors, wrong, listed = [], 0, 0
        chance = random.Random(50)  # noqa: S311 - a seed is the point
        for _ in range(TRIALS):
            moment = begun + (over - begun) * chance.random()
            incident = min(moment + timedelta(seconds=LONGEST_S * chance.random()), over)
            error, right, count = _trial(stanza, moment, incident)
            errors.append(error)
            wrong += not right
            listed += count
    print(f"  {TRIALS} losses: off by {statistics.median(errors):.2f} s, {max(errors):.2f} at most")
    print(f"  {TRIALS - wrong} of {TRIALS} lists exact, of {listed:,} messages")


def _busy(stanza: Stanza) -> tuple[datetime, datetime]:
    """Let messages come in for a while; return from when to when they did."""
    server = stanza.server()
    with server.connect() as connection:
        connection.execute("alter system set track_commit_timestamp = on")
    stanza.home.primary.stop()
    installation.install(stanza.server())
    beats = threading.Thread(target=heartbeat.keep_beating, args=(server, BUSY_S + 8))
    beats.start()
    take(stanza)
    begun = datetime.now(UTC) + timedelta(seconds=2)
    end, seed = time.monotonic() + BUSY_S, 0
    while time.monotonic() < end:
        seed += 1
        _send(stanza, seed)
        time.sleep(0.3)
    over = datetime.now(UTC)
    beats.join()
    wal.pull(stanza, server)
    return begun, over


def _send(stanza: Stanza, seed: int) -> None:
    path = stanza.home.path / "sent.hl7"
    with path.open("wb") as file:
        traffic = generate(4, seed=seed, end=datetime(2026, 11, 23, tzinfo=UTC), days=2)
        file.writelines(bytes_of(islice(traffic, 4)))
    ingest.ingest(stanza.server(), [str(path)])


def _trial(stanza: Stanza, moment: datetime, incident: datetime) -> tuple[float, bool, int]:
    """Restore to a moment as if all after it was lost; return how far off what is told of it is."""
    path = stanza.home.path / "copy"
    done = restore(stanza, parse(moment.isoformat()), Destination(path))
    try:
        told = loss(done.server.database("hl7"), incident, stanza.server())
    finally:
        restored.remove(path)
    with stanza.server().connect() as connection:
        rows = connection.execute(_MESSAGES.encode()).fetchall()
    lost = [(name, control) for name, control, at, end in rows if end > moment and at <= incident]
    listed = [(each.connection, each.control_id) for each in told.messages or ()]
    off = abs(told.seconds - (incident - moment).total_seconds())
    return off, sorted(map(str, listed)) == sorted(map(str, lost)), len(lost)
