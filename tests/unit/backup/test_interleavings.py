"""At the same time: a cleanup beside backups and readers, backups beside each other.

Two hundred interleavings, each begun at moments of its own: nothing that is in use is deleted.
F5 of the failures that others met: retention deleted a backup in the middle of its recovery.
"""

import random
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from tasks.backup.cleanup import cleanup
from tasks.control import settings
from tasks.control.errors import Corrupt, Refused
from tasks.repository.s3.address import Address
from tasks.repository.s3.storage import S3Storage
from tests.unit.backup.made import NOW, backup
from tests.unit.backup.test_cleanup import opened


ROUNDS = {"local": 170, "s3": 30}

SPREAD_S = {"local": 0.05, "s3": 0.4}
"""Within so long everybody begins."""

OBJECTS = 6


@pytest.fixture(params=ROUNDS)
def ground(request, tmp_path, s3_settings):
    """Return what opens an empty stanza for each round: in a directory, or in S3."""

    def stanza(number):
        storage = None
        if request.param == "s3":
            prefix = f"{s3_settings['s3_prefix']}/{number}"
            storage = S3Storage(Address.of(settings.load(**s3_settings | {"s3_prefix": prefix})))
        return opened(tmp_path / str(number), storage, retention_days=7, retention_minimum=1)

    return stanza, ROUNDS[request.param], SPREAD_S[request.param]


def write(stanza, made, pause=0.0):
    """Take a backup as far as its repository sees of it."""
    catalogue, kept = stanza.catalogue, []
    hold = catalogue.storage.hold
    with hold("backup", shared=False, stanza="main"), catalogue.reading(made.id):
        for number in range(OBJECTS):
            name = "base.tar.zst" if number == 0 else f"{number}.tar.zst"
            with catalogue.vault.storing(catalogue.prefix(made.id), name, kept) as sink:
                sink.write(name.encode() * 500)
            time.sleep(pause)
        whole = replace(made, objects=kept)
        catalogue.add(whole)
    return whole


def read(stanza, name, pause=0.0):
    """Read a backup as a verification does; raises where it is not there, or not whole."""
    catalogue = stanza.catalogue
    made = catalogue.get(name)
    with catalogue.reading(made.id):
        made = catalogue.get(name)
        for item in made.objects:
            catalogue.vault.read(catalogue.prefix(made.id), item)
            time.sleep(pause)
    return made


class Beside(threading.Thread):
    """Work of another process: what came of it is told afterwards."""

    def __init__(self, delay, work, *arguments):
        """Begin after a delay."""
        super().__init__()
        self.delay, self.work, self.arguments = delay, work, arguments
        self.result = self.error = self.after = None
        self.is_through = threading.Event()

    def run(self):
        """Do it, after another one where it is told so."""
        if self.after is not None:
            self.after.is_through.wait()
        time.sleep(self.delay)
        try:
            self.result = self.work(*self.arguments)
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.error = error
        finally:
            self.is_through.set()


def test_nothing_that_is_in_use_is_deleted(ground):
    """Readers read all of a backup, or are refused; backups beside a cleanup are whole."""
    opened_stanza, rounds, spread = ground
    chance = random.Random(7)
    outcomes = {"read": 0, "refused": 0, "second refused": 0}
    for number in range(rounds):
        stanza = opened_stanza(number)
        old = [write(stanza, backup(age)) for age in (40, 30, 20)]
        write(stanza, backup(1))
        fresh = backup(at=NOW + timedelta(hours=1))
        second = backup(at=NOW + timedelta(hours=2))
        victim = chance.choice(old)
        pauses = [chance.random() * spread for _ in range(4)]
        workers = [
            Beside(pauses[0], read, stanza, victim.id, chance.random() * 0.004),
            Beside(pauses[1], lambda s: cleanup(s, now=NOW + timedelta(hours=3)), stanza),
            Beside(pauses[2], write, stanza, fresh, chance.random() * 0.004),
            Beside(pauses[3], write, stanza, second, chance.random() * 0.002),
        ]
        reader, cleaner, *writers = workers
        if number % 5 == 0:
            reader.after = cleaner
        elif number % 5 == 1:
            cleaner.after = reader
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert not isinstance(reader.error, Corrupt), (number, reader.error)
        assert cleaner.error is None, (number, cleaner.error)
        outcomes["read" if reader.error is None else "refused"] += 1
        for writer in writers:
            if writer.error is not None:
                assert isinstance(writer.error, Refused), (number, writer.error)
                outcomes["second refused"] += 1
            else:
                read(stanza, writer.result.id)
        for entry in stanza.catalogue.backups():
            read(stanza, entry.id)
    assert outcomes["read"] > 0
    assert outcomes["refused"] > 0
    assert outcomes["second refused"] > 0
