"""A backup that a service manager ends in the middle: nothing half stays, and the next is whole."""

import signal
import time

import pytest

from tests.cli.conftest import command_line


@pytest.fixture
def hl7ops():
    """Open a command line over a home of its own, since others count the backups of theirs."""
    with command_line() as run:
        yield run


def partial(hl7ops):
    """Return what is being written of a backup."""
    return list(hl7ops.home.glob("repository/main/backups/*/.partial-*"))


def test_a_backup_that_is_told_to_end_leaves_nothing_and_the_next_is_proven(hl7ops):
    """Scenario 8: SIGTERM in the middle of a backup, as pg_probackup is tested."""
    hl7ops.json("generate", "--messages", "300", "--seed", "8", "--days", "5")
    before = [each["id"] for each in hl7ops.json("backups")]
    process = hl7ops.begin("backup", "full")
    while not partial(hl7ops):
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 128 + signal.SIGTERM
    assert partial(hl7ops) == []
    assert [each["id"] for each in hl7ops.json("backups")] == before
    made = hl7ops.json("backup", "full")
    assert hl7ops.json("verify", made["id"])["verdict"] == "proven"
