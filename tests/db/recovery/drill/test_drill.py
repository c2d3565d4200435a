"""Drills on a real platform: passed, failed, unnoticed; and a history that shows tampering."""

import random
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.backup import wal
from tasks.backup.take import take
from tasks.control import clock, settings
from tasks.control.errors import Corrupt, Refused
from tasks.hl7 import ingest
from tasks.hl7.generator import populate
from tasks.hl7.platform import installation
from tasks.postgres.embedded import start_history
from tasks.recovery.drill import faults, rehearse
from tasks.recovery.drill.evidence import Evidence, see_unbroken
from tasks.recovery.drill.outcome import Drill
from tasks.recovery.drill.standing import checked, signed, standing
from tasks.recovery.loss import heartbeat
from tasks.recovery.proving.comparison import Part, comparisons
from tasks.recovery.proving.expectations import differing
from tasks.repository.fingerprint import Scope, of_server
from tasks.repository.stanza import open_stanza


END = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def stanza():
    """Open a stanza with a full and an incremental backup, and messages after each."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-drill-"))
    home.chmod(0o755)
    opened = open_stanza(settings.load(hl7ops_home=home))
    server = opened.server()
    installation.install(server)
    heartbeat.install(server)
    beat(server)
    for number, kind in enumerate(("full", "incremental")):
        populate.populate(server, ingest.load_generated, 150, seed=number, end=END, days=5)
        take(opened, kind)
        beat(server)
    populate.populate(server, ingest.load_generated, 150, seed=9, end=END, days=5)
    wal.pull(opened, server)
    yield opened
    opened.home.primary.stop("immediate")
    opened.home.control.stop("immediate")
    shutil.rmtree(home)


def beat(server):
    """Let the platform's heart beat once."""
    with server.connect() as connection:
        heartbeat.beat(connection)


@pytest.mark.parametrize("seed", range(3))
def test_a_drill_passes_and_leaves_nothing(stanza, seed):
    """It tells what it drew, what it found, how long it took, and which fault it noticed."""
    done = rehearse.rehearse(stanza, seed)
    assert done.verdict == "passed", (done.error, done.checks)
    assert done.noticed
    assert done.target.startswith("lsn:")
    assert done.rto_s > 0
    assert done.restored_bytes > 1 << 20
    assert done.behind_s is not None
    assert rehearse.BEATEN in {check.name for check in done.checks}
    assert {check.tier for check in done.checks} == {"boot", "structure", "contents"}
    assert [path.name for path in (stanza.home.path / "drill").iterdir()] == [".lock"]


def test_a_fault_that_nobody_notices_fails_the_drill(stanza, monkeypatch):
    """F23: one that did nothing, for example."""
    nothing = faults.Fault("nothing", "anything")
    monkeypatch.setattr(faults, "bring", lambda *_: nothing)
    done = rehearse.rehearse(stanza, 1)
    assert (done.verdict, done.noticed) == ("failed", False)
    with pytest.raises(Corrupt, match="unnoticed: nothing: anything"):
        done.require()


def test_a_heartbeat_from_after_the_point_fails_the_drill(stanza, monkeypatch):
    """It would mean that the copy holds more than it should."""
    late = heartbeat.Beat(9, clock.now(), "FF/0")
    monkeypatch.setattr(heartbeat, "last", lambda _: late)
    done = rehearse.rehearse(stanza, 1)
    assert done.verdict == "failed"
    assert [check.name for check in done.checks if check.outcome == "fail"] == [rehearse.BEATEN]


def test_a_broken_object_fails_the_drill(stanza):
    """With the object's name; the copy is gone."""
    full = stanza.catalogue.backups()[0]
    item = max(full.objects, key=lambda each: each.stored_bytes)
    path = Path(stanza.catalogue.storage.place, stanza.catalogue.prefix(full.id), item.name)
    data = path.read_bytes()
    path.write_bytes(data[:1000] + b"\0" + data[1001:])
    try:
        done = rehearse.rehearse(stanza, 1)
    finally:
        path.write_bytes(data)
    assert done.verdict == "failed"
    assert done.backup
    assert item.name in done.checks[0].seen


DRILLED = Scope(databases=["drilled"], shared=False)


def differences(stanza, sealed):
    """Return what of a database differs now from how it was."""
    found = of_server(stanza.server(), stanza.programs, DRILLED)
    return [text for each in comparisons(sealed, found) if (text := differing(each))]


@pytest.mark.parametrize("kind", list(faults.KINDS))
def test_every_kind_of_fault_changes_what_is_measured(stanza, kind, monkeypatch):
    """None of them could go unnoticed because nothing happened."""
    monkeypatch.setattr(faults, "KINDS", {kind: faults.KINDS[kind]})
    with stanza.server().database("postgres").connect() as connection:
        connection.execute("drop database if exists drilled")
        connection.execute("create database drilled template hl7")
    server = stanza.server().database("drilled")
    sealed = Part(of_server(server, stanza.programs, DRILLED).sealed())
    assert differences(stanza, sealed) == []
    fault = faults.bring(server, "drilled", random.Random(5))
    assert fault.name == kind
    assert differences(stanza, sealed) != []


def drill(seed):
    """Return a drill that broke off."""
    return Drill("main", "local", seed, clock.now(), error="no room")


def test_the_history_is_a_chain_in_which_tampering_shows(stanza):
    """A changed, a removed and an added entry each break it; an export can be checked again."""
    evidence = Evidence(start_history(stanza.home), "main")
    for seed in range(4):
        evidence.keep(drill(seed), clock.now())
    assert [each.seed for each in evidence.drills()] == [0, 1, 2, 3]
    records = evidence.records()
    see_unbroken(records)
    earlier = signed(stanza).encode()
    assert checked(stanza, earlier) == 4
    with pytest.raises(Corrupt, match="was edited"):
        checked(stanza, earlier.replace(b"no room", b"fine"))
    for tampered in (records[1:], [*records[:1], *records[2:]], [records[1], records[0]]):
        with pytest.raises(Corrupt, match="tampered with"):
            see_unbroken(tampered)
    with evidence.server.connect() as connection:
        connection.execute(
            "update hl7ops.evidence set document = replace(document, 'no room', 'fine')"
            " where number = 2"
        )
    with pytest.raises(Corrupt, match="entry 2"):
        evidence.drills()
    with pytest.raises(Corrupt, match="entry 2"):
        standing(stanza, clock.now())
    with pytest.raises(Corrupt, match="entry 2"):
        checked(stanza, earlier)
    with pytest.raises(Corrupt, match="entry 2"):
        signed(stanza)
    with evidence.server.connect() as connection:
        connection.execute("drop table hl7ops.evidence")
    for seed in range(5):  # a chain that is whole, but another one
        evidence.keep(drill(seed), clock.now())
    evidence.drills()
    with pytest.raises(Corrupt, match=r"entry 1 .* is not what was exported"):
        checked(stanza, earlier)
    with evidence.server.connect() as connection:
        connection.execute("drop table hl7ops.evidence")
    with pytest.raises(Refused, match="there is no history of drills"):
        signed(stanza)


def test_how_the_stanza_stands_is_gathered_from_its_drills_and_proofs(stanza):
    """The page is made from this, and from nothing that Prefect keeps."""
    evidence = Evidence(start_history(stanza.home), "main")
    evidence.keep(rehearse.rehearse(stanza, 5), clock.now())
    found = standing(stanza, clock.now())
    assert (found.score.drills, found.score.passed) == (1, 1)
    assert len(found.proofs) == 2
    assert found.window.earliest.backup.type == "full"
