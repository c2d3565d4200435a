"""Streaming: the loss is seconds, whatever happens to the server or to the stream itself."""

import threading
import time
from contextlib import contextmanager, suppress

import psutil
import pytest

from tasks.backup import streaming, wal
from tasks.backup.streaming import stream
from tasks.backup.take import take
from tasks.control.errors import OpsError, Refused, Transient
from tasks.postgres import lsn, slot
from tasks.recovery.proving.verify import verify
from tasks.repository import partial


class Running:
    """A stream in a thread, with what it told last and what it ended with."""

    def __init__(self, site):
        """Begin it."""
        self.told, self.error, self.done = [], None, None
        self.thread = threading.Thread(target=self._run, args=(site,))
        self.over = threading.Event()
        self.thread.start()

    def _run(self, site):
        try:
            self.done = stream(site, site.server(), seconds=120, tell=self._tell)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def _tell(self, now):
        self.told.append(now)
        if self.over.is_set():
            raise KeyboardInterrupt

    @property
    def now(self):
        """How far it is."""
        return self.told[-1] if self.told else streaming.Streamed()


def wait(condition, timeout_s=40):
    """Wait until something holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def streams(site):
    """Run a stream beside the test, and interrupt it as Ctrl-C does."""
    running = Running(site)
    try:
        wait(lambda: running.told or running.error)
        yield running
    finally:
        running.over.set()
        give_up_at = time.monotonic() + 60
        while running.thread.is_alive() and time.monotonic() < give_up_at:
            with suppress(OpsError), site.server().connect() as connection:  # what it tells of
                connection.execute("select pg_logical_emit_message(false, 'test', 'over', true)")
            running.thread.join(1)
        assert not running.thread.is_alive()


@pytest.fixture
def site(shared_house):
    """Return a stanza whose unfinished segment is kept every second."""
    house = shared_house
    made = house.at(house.primary, wal_partial_seconds=1)
    wal.pull(made, made.server(), restart=True)
    return made


def archived(site, position):
    """Tell whether the archive reaches a position."""
    return wal.coverage(site)[-1].last.end >= position


def receivers(home):
    """Return the programs that receive WAL into a home."""
    return [
        each
        for each in psutil.process_iter(["name", "cmdline"])
        if each.info["name"] == "pg_receivewal"
        and str(home) in " ".join(each.info["cmdline"] or [])  # none when it has just ended
    ]


def test_a_finished_segment_is_archived_within_seconds(shared_house, site):
    """The slot follows, and nothing is left on the way when the stream ends."""
    with streams(site) as running:
        shared_house.write(shared_house.primary, 3)
        at = slot.written(site.server(), switch=False).position
        wait(lambda: archived(site, at - at % (1 << 24)), timeout_s=10)
        wait(lambda: running.now.segments >= 3)
        assert lsn.parse(slot.find(site.server()).restart_lsn) == lsn.parse(running.now.reaches)
    assert isinstance(running.error, KeyboardInterrupt)
    assert not list((site.home.path / "spool").iterdir())
    assert receivers(site.home.path) == []
    assert len(wal.coverage(site)) == 1


def test_the_unfinished_segment_is_kept_up_to_seconds_ago(shared_house, site):
    """It is one object, replaced each time, and gone when its segment is archived."""
    archive = wal.open_archive(site, site.server())
    with streams(site) as running:
        shared_house.run(shared_house.primary, "insert into counted values (4711)")
        query = "select pg_current_wal_flush_lsn()::text"
        written = lsn.parse(shared_house.value(shared_house.primary, query))
        wait(lambda: running.now.partial and lsn.parse(running.now.partial) >= written - 8)
        (kept,) = partial.listed(archive)
        path = shared_house.primary.data / "pg_wal" / kept.segment.name
        have = kept.position - kept.segment.start
        assert partial.fetch(archive, kept)[:have] == path.read_bytes()[:have]
        told = wal.status(site, site.server())
        assert told.is_streaming
        assert told.partial.segment == kept.segment
        shared_house.write(shared_house.primary)
        wait(lambda: archived(site, kept.segment.end))
        wait(lambda: all(each.segment != kept.segment for each in partial.listed(archive)))
    wal.pull(site, site.server())
    assert partial.listed(archive) == []


def test_a_pull_beside_a_stream_is_fine_at_once(shared_house, site):
    """The minute's pull leaves it to the stream, and a second stream is refused."""
    with streams(site):
        began = time.monotonic()
        done = wal.pull(site, site.server())
        assert time.monotonic() - began < 5
        assert done.is_streaming
        assert done.segments == 0
        assert done.intervals
        with pytest.raises(Refused, match="stream is in use"):
            stream(site, site.server(), seconds=1)
    assert not wal.pull(site, site.server()).is_streaming


def test_a_backup_beside_a_stream_gets_all_of_its_wal(shared_house, site):
    """It waits until the stream has archived it."""
    with streams(site) as running:
        made = take(site)
        assert running.error is None
    assert verify(site, made.id).verdict == "proven"


def test_a_stream_comes_back_to_a_server_that_was_restarted(shared_house, site):
    """However it went away; no gap arises."""
    with streams(site) as running:
        for mode in ("fast", "immediate"):
            shared_house.write(shared_house.primary)
            before = running.now.breaks
            shared_house.primary.stop(mode)
            wait(lambda seen=before: running.now.breaks > seen)
            shared_house.primary.start()
            shared_house.write(shared_house.primary, 2)
            at = slot.written(site.server(), switch=False).position
            wait(lambda seen=at: archived(site, seen - seen % (1 << 24)))
        assert running.error is None
    assert len(wal.coverage(site)) == 1


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_a_stream_replaces_a_receiver_that_was_ended(shared_house, site, how):
    """Somebody killed pg_receivewal, or the connection broke."""
    with streams(site) as running:
        wait(lambda: receivers(site.home.path))
        getattr(receivers(site.home.path)[0], how)()
        wait(lambda: running.now.breaks >= 1)
        shared_house.write(shared_house.primary, 2)
        at = slot.written(site.server(), switch=False).position
        wait(lambda: archived(site, at - at % (1 << 24)))
    assert len(wal.coverage(site)) == 1


def test_a_connection_that_is_cut_on_the_server_is_made_again(shared_house, site):
    """Its WAL sender is ended."""
    with streams(site) as running:
        wait(lambda: receivers(site.home.path))
        query = "select count(pg_terminate_backend(pid)) from pg_stat_replication"
        wait(lambda: shared_house.value(shared_house.primary, query) >= 1)
        wait(lambda: running.now.breaks >= 1)
        shared_house.write(shared_house.primary, 2)
        at = slot.written(site.server(), switch=False).position
        wait(lambda: archived(site, at - at % (1 << 24)))
    assert len(wal.coverage(site)) == 1


def test_a_server_that_stays_away_ends_the_stream(shared_house, site, monkeypatch):
    """After five minutes; the service manager, or a person, sees it."""
    monkeypatch.setattr(streaming, "GIVE_UP_S", 2)
    with streams(site) as running:
        shared_house.primary.stop()
        try:
            wait(lambda: running.error)
            assert isinstance(running.error, Transient)
        finally:
            shared_house.primary.start()


def test_a_stream_follows_a_promotion(house):
    """An address of several hosts leads to the server that was promoted."""
    standby = house.standby("standby")
    site = house.at(house.primary, standby, wal_partial_seconds=1)
    before = take(site)
    with streams(site) as running:
        house.write(house.primary, 2)
        wait(lambda: running.now.segments >= 2)
        house.run(house.primary, "insert into counted values (2)")
        house.fail_over(standby)
        house.write(standby, 2)
        wait(lambda: any(each.first.timeline == 2 for each in wal.coverage(site)))
        at = slot.written(site.server(), switch=False).position
        wait(lambda: archived(site, at - at % (1 << 24)))
        assert running.error is None
    first, second = wal.coverage(site)
    assert second.continues.timeline == first.first.timeline
    assert verify(site, before.id).verdict == "proven"


def test_a_gap_ends_a_stream_by_name(house):
    """It is for a person to decide; a stream does not begin anew by itself."""
    site = house.at(house.primary)
    wal.pull(site, site.server(), restart=True)
    missing = wal.coverage(site)[-1].last.next().name
    house.run(house.primary, "select pg_drop_replication_slot('hl7ops_main')")
    house.write(house.primary, 2)
    while missing in slot.present(site.server()):
        house.run(house.primary, "checkpoint")
        time.sleep(0.1)
    with pytest.raises(Refused, match=f"WAL is missing .* expected: {missing}"):
        stream(site, site.server(), seconds=5)
