"""Seals under writers: exact where they can be, and honest where they cannot."""

import threading
import time
from contextlib import contextmanager

from tasks.backup import seal, take
from tasks.backup.seal import Manner
from tasks.recovery.proving.verify import verify
from tasks.repository.model import BackupId


@contextmanager
def writing(server, writers=4):
    """Let some clients write as fast as they can; yield what counts their transactions."""
    stop, counts, waits = threading.Event(), [0] * writers, [0.0] * writers

    def write(number):
        with server.connect() as connection:
            while not stop.is_set():
                began = time.monotonic()
                connection.execute("insert into counted (n) values (%s)", [number])
                connection.execute("update counted set n = n + 1 where id = %s", [number + 1])
                counts[number] += 2
                waits[number] = max(waits[number], time.monotonic() - began)

    threads = [threading.Thread(target=write, args=[number]) for number in range(writers)]
    for thread in threads:
        thread.start()
    try:
        yield counts, waits
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_what_is_restored_equals_the_seal_under_continuous_writes(stanza):
    """Four clients write all the time; two backups are taken, and both are proven exactly."""
    with writing(stanza.server()) as (counts, waits):
        began = time.monotonic()
        made = []
        for _ in range(2):
            made.append(take.take(stanza))
            time.sleep(1)
        rate = sum(counts) / (time.monotonic() - began)
    assert [each.seal.mode for each in made] == ["locked", "locked"]
    assert [verify(stanza, each.id).verdict for each in made] == ["proven", "proven"]
    assert rate > 300
    assert max(waits) < 2


def test_a_long_writer_makes_the_seal_bounded_and_the_proof_holds(stanza):
    """A transaction that stays open keeps locks and quiet away; the seal says so.

    Rows that it deletes and adds meanwhile are within the bounds, and the proof is by those.
    """
    server = stanza.server()
    with server.connect(autocommit=False) as writer:
        writer.execute("delete from counted where id = (select max(id) from counted)")
        made = take.take(stanza)
        writer.commit()
    assert made.seal.mode == "bounded"
    proof = verify(stanza, made.id)
    assert proof.verdict == "proven", proof.failed


def test_a_lock_that_writes_nothing_leaves_a_quiet_instant(stanza):
    """Where a vacuum keeps the locks away and nobody writes, the seal is exact all the same."""
    with stanza.server().connect(autocommit=False) as vacuum:
        vacuum.execute("lock table counted in share update exclusive mode")
        name = BackupId("full-20261123T000000Z")
        sealed, _ = seal.take(stanza.server(), name, Manner(attempts=2))
    assert sealed.mode == "quiet"


def test_a_writer_waits_no_longer_than_the_lock_timeout(stanza):
    """While the seal cannot have its locks, writers behind it are let through at once."""
    server = stanza.server()
    with server.connect(autocommit=False) as long:
        long.execute("update counted set n = 0 where id = 1")
        slowest = [0.0]
        done = threading.Event()

        def write():
            with server.connect() as connection:
                while not done.is_set():
                    began = time.monotonic()
                    connection.execute("insert into counted (n) values (1)")
                    slowest[0] = max(slowest[0], time.monotonic() - began)

        thread = threading.Thread(target=write)
        thread.start()
        sealed, _ = seal.take(server, BackupId("full-20261123T000001Z"), Manner(attempts=3))
        done.set()
        thread.join()
    assert slowest[0] < 1.0
    assert sealed.mode != "locked"
    assert sealed.held_ms is None


def test_a_sequence_is_sealed_not_ahead_of_the_restore_point(stanza):
    """A sequence that runs on after the seal does not make the copy look behind."""
    with stanza.server().connect() as connection:
        connection.execute("create sequence numbers; select nextval('numbers')")
        sealed, measured = seal.take(stanza.server(), BackupId("full-20261123T000002Z"))
        connection.execute("select nextval('numbers') from generate_series(1, 100)")
    assert measured.sequences["hl7.public.numbers"] == 1
    assert 0 < sealed.held_ms < 100
