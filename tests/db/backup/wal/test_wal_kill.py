"""Killed across a promotion, or while streaming, at any point: the next run converges."""

import time

import pytest

from tasks.backup import wal
from tasks.backup.streaming import stream
from tasks.postgres import lsn
from tasks.repository import partial
from tests.faults.killing import killer


@pytest.fixture(scope="module")
def death():
    """Start what kills."""
    with killer() as one:
        yield one


def begin(death, site, verb, place, count):
    """Begin a verb in a process that kills itself at the n-th call of a function."""
    address = site.settings.database_url.get_secret_value()
    known = {"hl7ops_home": site.home.path, "database_url": address, "wal_partial_seconds": 1}
    death.begin(verb, [place], count, **known)


def see_that_it_is_whole(site):
    """See that the archive has every segment on the way to the server's timeline."""
    intervals = wal.coverage(site)
    assert all(each.continues for each in intervals[1:]), intervals
    archive = wal.open_archive(site, site.server())
    for kept in archive.kept().values():
        archive.fetch(kept)
    assert wal.status(site, site.server()).behind_bytes < 1 << 24
    assert not list((site.home.path / "spool").iterdir())
    assert archive.vault.storage.leftovers("main/wal/") == []


class Line:
    """A house whose primary gives way to a new standby again and again."""

    def __init__(self, house):
        """Begin with its primary."""
        self.house, self.now, self.number = house, house.primary, 1

    def fail_over(self):
        """Let a new standby take over in the middle of a segment, some of it not archived."""
        self.number += 1
        site = self.house.at(self.now)
        standby = self.house.standby(f"node-{self.number}", of=self.now)
        wal.pull(site, site.server())
        self.house.write(self.now, 2)
        self.house.run(self.now, "insert into counted values (1)")
        self.house.fail_over(standby, self.now)
        self.house.write(standby, 2)
        self.now = standby
        return self.house.at(standby)


@pytest.fixture(scope="module")
def line(shared_house):
    """Open a line for the tests of this file."""
    wal.pull(shared_house.stanza, shared_house.stanza.server(), restart=True)
    return Line(shared_house)


@pytest.mark.parametrize(
    ("place", "count"),
    [
        ("tasks.backup.lineage:timeline.history_files", 1),
        ("tasks.repository.wal:Archive.store_history", 1),
        ("tasks.postgres.slot:create", 1),
        ("tasks.backup.transfer:route.way", 1),
        ("tasks.backup.transfer:Transfer.run", 2),
        ("tasks.repository.local:os.fsync", 4),
        ("tasks.repository.wal:Archive.store", 4),
        ("tasks.backup.transfer:slot.advance", 2),
        ("tasks.repository.partial:forget", 1),
    ],
)
def test_a_pull_that_is_killed_across_a_promotion_is_made_up_for(line, death, place, count):
    """Both timelines are whole, joined by the history, and nothing is left on the way."""
    site = line.fail_over()
    begin(death, site, "pull", place, count)
    death.see_that_it_was_killed()
    wal.pull(site, site.server())
    see_that_it_is_whole(site)
    archive = wal.open_archive(site, site.server())
    assert set(archive.histories()) == set(range(2, line.number + 1))


@pytest.mark.parametrize("next_", ["pull", "stream"])
@pytest.mark.parametrize(
    ("place", "count"),
    [
        ("tasks.backup.streaming:catch_up", 1),
        ("tasks.backup.streaming:receiving", 1),
        ("tasks.repository.wal:Archive.store", 2),
        ("tasks.backup.streaming:slot.advance", 2),
        ("tasks.repository.partial:keep", 2),
        ("tasks.repository.local:LocalStorage.delete", 1),
        ("tasks.backup.receiver:Receiver.finished", 4),
    ],
)
def test_a_stream_that_is_killed_is_made_up_for(line, death, place, count, next_):
    """Its pg_receivewal, if it runs on, is ended; a pull or the next stream goes on."""
    site = line.house.at(line.now, wal_partial_seconds=1)
    wal.pull(site, site.server(), restart=True)
    begin(death, site, "stream", place, count)
    while not death.has_ended:
        line.house.run(line.now, "insert into counted values (1)")
        time.sleep(0.7)  # so that the unfinished segment is met with something in it
        line.house.write(line.now)
    death.see_that_it_was_killed()
    if next_ == "pull":
        wal.pull(site, site.server())
    else:
        stream(site, site.server(), seconds=2)
    see_that_it_is_whole(site)
    reached = wal.coverage(site)[-1].last.end
    parts = partial.listed(wal.open_archive(site, site.server()))
    assert len(parts) <= 1
    assert all(lsn.parse(each.reaches) >= reached for each in parts)
