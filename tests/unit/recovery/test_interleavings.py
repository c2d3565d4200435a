"""At the same time: a cleanup beside verifications, drills and restores of one repository.

Two hundred interleavings of what holds and what removes, with the real files of a repository; what
copies would be made of is read back. Scenario 7: pg_probackup's deletion while a restore runs.
"""

import random
import threading
import time
from datetime import timedelta
from types import SimpleNamespace

from tasks.backup.cleanup import cleanup
from tasks.control.errors import Refused
from tasks.postgres.lsn import Segment
from tasks.recovery.restoring.needed import see_that_wal_is_there
from tasks.repository.chain import reading
from tasks.repository.pins import Pin
from tasks.repository.proof import TIERS, Check, Proof
from tests.unit.backup.made import NOW, SEGMENT, backup
from tests.unit.backup.test_cleanup import opened


ROUNDS = 200

SPREAD_S = 0.04
"""Within so long everybody begins."""

PATIENCE_S = 20

SEGMENTS = 16


def built(path, chance):
    """Open a repository with old and young backups, one of them maybe pinned, and their WAL."""
    stanza = opened(path, retention_days=7, retention_minimum=1)
    old = [backup(age, start=1 + 3 * n) for n, age in enumerate((40, 30, 20))]
    made = [*old, backup(1, start=12)]
    for each in made:
        put(stanza, each)
    if chance.random() < 0.5:
        stanza.catalogue.pin(Pin(old[0].id, "audit", NOW))
    for number in range(1, SEGMENTS):
        segment = Segment(1, number, SEGMENT)
        name = f"main/wal/1/00000001/{segment.name}-{'0' * 64}.zst"
        stanza.catalogue.storage.put(name, segment.name.encode())
    return stanza, made


def put(stanza, made):
    """Put a backup with its object into the repository."""
    for item in made.objects:
        stanza.catalogue.storage.put(f"{stanza.catalogue.prefix(made.id)}{item.name}", b"x" * 100)
    stanza.catalogue.add(made)


def verify(stanza, made, pause):
    """Read what a verification reads of a backup, and record a proof of it."""
    with reading(stanza.catalogue, [made]):
        read(stanza, made, pause)
        proof = Proof(
            made.id, "main", NOW, NOW, [Check(tier, "looked at", "pass") for tier in TIERS]
        )
        stanza.catalogue.record(proof)


def restore(stanza, made, pause):
    """Read what a restore, or a drill, reads: planned first, then held and seen to be there."""
    archive = stanza.catalogue.archive(made)
    planned = [each for each in archive.kept() if each.end > made_at(made)]
    plan = SimpleNamespace(segments=planned, way=SimpleNamespace(unfinished=None))
    time.sleep(pause)
    with reading(stanza.catalogue, [made]):
        see_that_wal_is_there(plan, archive)
        read(stanza, made, pause)
        for item in planned:
            name = f"main/wal/1/00000001/{item.name}-{'0' * 64}.zst"
            assert stanza.catalogue.storage.get(name) == item.name.encode()
            time.sleep(pause / 8)


def made_at(made):
    """Return where a backup begins."""
    return int(made.start_lsn.partition("/")[2], 16)


def read(stanza, made, pause):
    """Read all objects of a backup, slowly."""
    for item in made.objects:
        name = f"{stanza.catalogue.prefix(made.id)}{item.name}"
        assert stanza.catalogue.storage.get(name) == b"x" * 100
        time.sleep(pause)
        assert stanza.catalogue.storage.get(name) == b"x" * 100


class Beside(threading.Thread):
    """Work of another process: what came of it is told afterwards."""

    def __init__(self, delay, work, *arguments):
        """Begin after a delay."""
        super().__init__(daemon=True)
        self.delay, self.work, self.arguments, self.error = delay, work, arguments, None

    def run(self):
        """Do it."""
        time.sleep(self.delay)
        try:
            self.work(*self.arguments)
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.error = error


def run(workers, number):
    """Let some work be done side by side; see that it ends."""
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE_S)
        assert not worker.is_alive(), number


def clean(stanza):
    """Clean up a little later than all was made."""
    cleanup(stanza, now=NOW + timedelta(hours=3))


def test_nothing_that_is_verified_or_restored_is_deleted(tmp_path):
    """Each reads all of its backup and WAL, or is refused as it begins; nobody waits for ever."""
    chance, outcomes = random.Random(11), {"whole": 0, "refused": 0}
    for number in range(ROUNDS):
        stanza, made = built(tmp_path / str(number), chance)
        delays = [chance.random() * SPREAD_S for _ in range(5)]
        readers = [
            Beside(delays[n], work, stanza, chance.choice(made[:3]), chance.random() * 0.006)
            for n, work in enumerate((verify, restore, restore))
        ]
        cleaners = [Beside(delay, clean, stanza) for delay in delays[3:]]
        first = [*cleaners] if number % 5 == 0 else [*readers, *cleaners]
        for together in (first, [each for each in readers if each not in first]):
            run(together, number)
        for worker in cleaners:
            assert worker.error is None or "cleanup is in use" in str(worker.error), number
        for worker in readers:
            assert worker.error is None or isinstance(worker.error, Refused), (number, worker.error)
            outcomes["whole" if worker.error is None else "refused"] += 1
        for each in stanza.catalogue.backups():
            read(stanza, each, 0)
        assert made[3].id in {each.id for each in stanza.catalogue.backups()}
    assert min(outcomes.values()) > ROUNDS / 10, outcomes
