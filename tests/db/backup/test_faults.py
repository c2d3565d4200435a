"""A fault at every storage call of a backup: it is retried, or it fails loudly, and never for less.

F14 of the failures that others met: a short write, a lost answer, a full disk in the middle.
"""

import shutil
import tempfile
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tasks.backup import take
from tasks.backup.cleanup import cleanup
from tasks.control import settings
from tasks.control.errors import OpsError, Refused, Transient
from tasks.postgres import slot
from tasks.recovery.proving.verify import verify
from tasks.repository.check import check
from tasks.repository.s3 import address as addresses
from tasks.repository.stanza import open_stanza
from tests.faults.disk import spoiled
from tests.faults.proxy import FAULTS, proxied


def converged(stanza, known):
    """See that nothing half is listed, and that the next backup is whole and proven."""
    listed = [entry.id for entry in stanza.catalogue.entries()]
    assert listed == known
    cleanup(stanza)
    made = take.take(stanza)
    assert check(stanza.catalogue, quick=True).damage == []
    return made


@pytest.mark.parametrize(("kind", "fault"), [("full", "full"), ("snapshot", "broken")])
def test_a_disk_that_fails_at_any_call_fails_the_backup(stanza, monkeypatch, kind, fault):
    """Full or broken: told as that, nothing is listed, and the next one succeeds.

    Once the document is kept, only its entry in the journal can fail: the next write enters it.
    """
    expected = Refused if fault == "full" else Transient
    take.take(stanza)
    number, is_through, is_kept = 0, False, False
    while not is_through:
        number += 1
        known = [entry.id for entry in stanza.catalogue.entries()]
        with spoiled(monkeypatch, fault, number) as calls:
            try:
                made = take.take(stanza, kind)
            except expected:
                assert not is_kept
                assert [entry.id for entry in stanza.catalogue.entries()] == known
            else:
                is_through, is_kept = len(calls) < number, True
                assert made.id in [entry.id for entry in stanza.catalogue.entries()]
    assert number > 20
    made = converged(stanza, [entry.id for entry in stanza.catalogue.entries()])
    assert verify(stanza, made.id).verdict == "proven"


@pytest.fixture
def far(s3, s3_settings, monkeypatch):
    """Open a stanza that keeps backups in S3, and the way there on which things go wrong."""
    monkeypatch.setattr(addresses, "READ_S", 1)
    home = Path(tempfile.mkdtemp(prefix="hl7ops-far-"))
    home.chmod(0o755)
    with proxied(s3.server.endpoint) as proxy:
        chosen = s3_settings | {"s3_endpoint_url": proxy.endpoint, "s3_part_mib": 5}
        stanza = open_stanza(settings.load(hl7ops_home=home, **chosen))
        with stanza.server().connect() as connection:
            connection.execute("create table kept as select generate_series(1, 1000) as n")
        yield stanza, proxy
        stanza.home.primary.stop("immediate")
    shutil.rmtree(home)


@pytest.mark.parametrize("fault", ["503", "lost reply", "short"])
def test_a_store_that_fails_once_at_any_call_does_not_fail_the_backup(far, fault):
    """Each call is made again; what is kept is whole, and proven at the end."""
    stanza, proxy = far
    take.take(stanza)
    proxy.heal()
    take.take(stanza)
    count = len(proxy.calls)
    assert count > 20
    for number in range(1 + FAULTS.index(fault), count + 1, len(FAULTS)):
        proxy.spoil(fault, number)
        made = take.take(stanza)
    proxy.heal()
    cleanup(stanza)
    assert check(stanza.catalogue).damage == []
    assert verify(stanza, made.id).verdict == "proven"


def test_a_store_that_goes_away_in_the_middle_fails_loudly(far, monkeypatch):
    """From whichever call on: nothing is listed for it; when the store is back, all goes on."""
    stanza, proxy = far
    monkeypatch.setattr(addresses, "ATTEMPTS", 1)
    impatient = open_stanza(stanza.settings)
    take.take(impatient)
    proxy.heal()
    take.take(impatient)
    count = len(proxy.calls)
    for number in range(1, count, 9):
        known = [entry.id for entry in stanza.catalogue.entries()]
        proxy.spoil("503", number, on=True)
        with pytest.raises(OpsError):
            take.take(impatient)
        proxy.heal()
        assert [entry.id for entry in stanza.catalogue.entries()] == known
    converged(stanza, known)


def interrupted(stanza, deed, when="seal"):
    """Take a backup while something happens between its copy and its seal, or in another phase."""
    done = []

    def tell(phase, _done, _all):
        if phase == when and not done:
            done.append(phase)
            deed()

    return take.take(stanza, progress=tell)


def test_a_server_that_is_restarted_in_the_middle_fails_or_is_sealed_again(stanza):
    """The connections of the seal are lost; another moment is caught."""

    def restart():
        stanza.home.primary.stop("fast")
        stanza.home.primary.start()

    made = interrupted(stanza, restart)
    assert "-02-locked" in made.seal.restore_point
    assert verify(stanza, made.id).verdict == "proven"


def test_a_server_that_is_gone_in_the_middle_is_told_and_nothing_is_listed(stanza, monkeypatch):
    """It may be tried again."""
    monkeypatch.setattr("tasks.backup.seal.PAUSE_S", 0)
    known = [entry.id for entry in stanza.catalogue.entries()]
    with pytest.raises(Transient):
        interrupted(stanza, lambda: stanza.home.primary.stop("immediate"))
    stanza.home.primary.start()
    converged(stanza, known)


def test_a_slot_that_is_dropped_in_the_middle_leaves_a_whole_backup_or_none(stanza):
    """What the server still has is archived; else the gap is named."""

    def drop():
        with stanza.server().connect() as connection:
            connection.execute(
                "select pg_drop_replication_slot(slot_name) from pg_replication_slots"
                " where slot_name = %s",
                [slot.name_for("main")],
            )

    made = interrupted(stanza, drop)
    assert verify(stanza, made.id).verdict == "proven"
    assert check(stanza.catalogue, quick=True).damage == []


@pytest.mark.parametrize("when", ["copy", "seal"])
def test_a_database_that_is_dropped_in_the_middle_is_in_the_backup_or_not(stanza, when):
    """Scenario 9: whatever was copied of it, what is restored equals the seal."""
    with stanza.server().connect() as connection:
        connection.execute("create database doomed strategy file_copy")

        def dropped():
            for _ in range(12):
                with suppress(psycopg.errors.ObjectInUse):  # after five seconds of waiting for us
                    connection.execute("drop database doomed")
                    return

        drop = threading.Thread(target=dropped)
        made = interrupted(stanza, drop.start, when)  # it waits for the server's other processes
        drop.join(60)
        (there,) = connection.execute("select count(*) from pg_database").fetchone()
    assert there == 4
    proof = verify(stanza, made.id)
    assert proof.failed == []
    assert proof.verdict == ("proven" if when == "copy" else "partial")  # it is named there


def test_an_answer_that_is_lost_for_good_is_not_taken_for_success(stanza):
    """A document that was not written is not listed, whatever the storage says."""
    real = stanza.catalogue.storage

    class Forgetful:
        def __getattr__(self, name):
            return getattr(real, name)

        def put(self, name, data):
            if not name.endswith("backup.json"):
                real.put(name, data)

    catalogue = replace(stanza.catalogue, storage=Forgetful())
    forgetful = replace(stanza, repositories={"local": catalogue}, repository="local")
    known = [entry.id for entry in stanza.catalogue.entries()]
    with pytest.raises(OpsError, match="did not keep the document"):
        take.take(forgetful)
    assert [entry.id for entry in stanza.catalogue.entries()] == known
