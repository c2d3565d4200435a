"""At the same time, in earnest: restores, a drill, a verification and cleanups of one repository.

What is lighter, two hundred times, stands in the unit tests; here each is what it really is.
"""

import random
import threading
import time
from datetime import timedelta

import pytest

from tasks.backup.cleanup import cleanup
from tasks.control import clock
from tasks.control.errors import Refused
from tasks.recovery.drill.rehearse import rehearse
from tasks.recovery.planning.target import parse
from tasks.recovery.proving.verify import verify
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.restore import restore
from tests.db.ledger import found


LATER = timedelta(days=90)

SPREAD_S = 1.5

PATIENCE_S = 90


class Beside(threading.Thread):
    """Work that begins after a moment; what came of it is kept."""

    def __init__(self, delay, work):
        """Begin after a delay."""
        super().__init__(daemon=True)
        self.delay, self.work, self.result, self.error = delay, work, None, None

    def run(self):
        """Do it."""
        time.sleep(self.delay)
        try:
            self.result = self.work()
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.error = error


def restored(scene, backup, path):
    """Return the rows of a copy of the seal of a backup."""
    done = restore(scene.stanza, parse(backup.id), Destination(path))
    try:
        return found(done.server.database("hl7"))
    finally:
        done.cluster.stop("immediate")


@pytest.mark.parametrize("seed", range(6))
def test_what_is_in_use_is_not_deleted(scene, seed):
    """Scenario 7: each restore is exact and each proof whole, or refused as it begins."""
    chance, full = random.Random(seed), scene.backups[0]
    delays = [chance.random() * SPREAD_S for _ in range(5)]
    path = scene.copies.folder / f"copy-{seed}"
    copying = Beside(delays[0], lambda: restored(scene, full, path))
    proving = Beside(delays[1], lambda: verify(scene.stanza, scene.backups[1].id).verdict)
    drilling = Beside(delays[2], lambda: rehearse(scene.stanza, seed).verdict)
    cleaning = [
        Beside(delay, lambda: cleanup(scene.stanza, now=clock.now() + LATER * (seed > 2)))
        for delay in delays[3:]
    ]
    every = [copying, proving, drilling, *cleaning]
    for worker in every:
        worker.start()
    for worker in every:
        worker.join(PATIENCE_S)
        assert not worker.is_alive()
        assert worker.error is None or isinstance(worker.error, Refused), worker.error
    assert copying.error or copying.result == scene.ledger.until(
        scene.ledger.names[full.seal.restore_point], inclusive=False
    )
    assert proving.error or proving.result == "proven"
    assert drilling.result == "passed" or seed > 2
    assert any(worker.error is None for worker in cleaning)
    assert copying.error is proving.error is None or seed > 2
    assert scene.copies.rows("latest") == scene.ledger.rows(lambda _: True)
