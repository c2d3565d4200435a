"""What a recovery has cost: to the second by the heartbeat, to the message by its control id."""

import shutil
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from tasks.backup import wal
from tasks.backup.take import take
from tasks.control import clock, settings
from tasks.control.errors import Refused
from tasks.hl7 import ingest
from tasks.hl7.generator.generate import bytes_of, generate
from tasks.hl7.platform import installation
from tasks.recovery.loss import heartbeat
from tasks.recovery.loss.loss import loss
from tasks.recovery.planning.target import parse
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.restore import restore
from tasks.repository.stanza import open_stanza


@pytest.fixture
def stanza():
    """Open a stanza with some messages and a backup."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-loss-"))
    home.chmod(0o755)
    opened = open_stanza(settings.load(hl7ops_home=home))
    installation.install(opened.server())
    send(opened, seed=1)
    take(opened)
    yield opened
    opened.home.primary.stop("immediate")
    shutil.rmtree(home)


def send(stanza, seed):
    """Let some messages come in, as a file of an interface."""
    path = stanza.home.path / f"{seed}.hl7"
    with path.open("wb") as file:
        traffic = generate(60, seed=seed, end=datetime(2026, 11, 23, tzinfo=UTC), days=3)
        file.writelines(bytes_of(islice(traffic, 60)))
    assert ingest.ingest(stanza.server(), [str(path)]).accepted > 0


def keys(stanza):
    """Return the messages that are there, as a sender would name them."""
    query = (
        "select coalesce(c.name, '(none)'), m.control_id, m.message_id from hl7_contract.messages m"
        " left join hl7_contract.connections c using (connection_id)"
    )
    with stanza.server().connect() as connection:
        return set(connection.execute(query).fetchall())


def test_a_loss_is_told_to_the_second_and_to_the_message(stanza):
    """What was archived is not lost; what came after it is, and nothing else is listed."""
    beats = threading.Thread(target=heartbeat.keep_beating, args=(stanza.server(), 6))
    beats.start()
    time.sleep(1.5)
    wal.pull(stanza, stanza.server())
    archived, known = clock.now(), keys(stanza)
    send(stanza, seed=2)
    time.sleep(2)
    incident = clock.now()
    lost = keys(stanza) - known
    beats.join()
    done = restore(stanza, parse("latest"), Destination(stanza.home.path / "copy"))
    try:
        found = loss(done.server.database("hl7"), incident, stanza.server())
        assert abs(found.seconds - (incident - archived).total_seconds()) <= 1.1
        assert sorted((m.connection, m.control_id) for m in found.messages) == sorted(
            (name, control) for name, control, _ in lost
        )
        assert lost
        assert loss(done.server.database("hl7"), incident).messages is None
        assert loss(done.server.database("hl7"), found.last.at - timedelta(hours=1)).seconds == 0
    finally:
        done.cluster.stop("immediate")


def test_without_a_heartbeat_it_says_what_is_missing(stanza):
    """Rather than a number that nobody measured."""
    with pytest.raises(Refused, match="there is no heartbeat in the database"):
        loss(stanza.server(), datetime.now(UTC))


def test_a_beat_follows_the_other_and_old_ones_go(stanza, monkeypatch):
    """Once a second; over a restart of the server, too."""
    told = []
    monkeypatch.setattr(heartbeat, "EVERY_S", 0.05)
    thread = threading.Thread(
        target=heartbeat.keep_beating, args=(stanza.server(), 4), kwargs={"tell": told.append}
    )
    thread.start()
    time.sleep(1)
    stanza.home.primary.stop("immediate")
    stanza.home.primary.start()
    thread.join()
    numbers = [beat.number for beat in told]
    assert len(numbers) > 20
    assert numbers == sorted(numbers)
    assert told[-1].at > told[0].at + timedelta(seconds=2)
    monkeypatch.setattr(heartbeat, "PRUNED_EVERY", 1)
    monkeypatch.setattr(heartbeat, "KEPT", timedelta(0))
    with stanza.server().connect() as connection:
        heartbeat.beat(connection)
        count = connection.execute("select count(*) from hl7ops.heartbeat").fetchone()[0]
    assert count <= 1
