"""The walk of the status row: one history, a mark at each stage, and a restore to every one.

Scenarios of others that were replayed here: pgBackRest's status row over all kinds of targets, its
refusal of a stray timeline, and Patroni's crash after which the timeline is the same.
"""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from tasks.backup import wal
from tasks.backup.take import take
from tasks.control.errors import Refused
from tasks.postgres.cluster import Cluster
from tasks.postgres.lsn import segment_named
from tests.db.house import House
from tests.db.recovery.restoring.conftest import Copies


STAGES = (
    "full",
    "incremental",
    "differential",
    "time",
    "xid",
    "name",
    "lsn",
    "crash",
    "promotion",
    "backup after it",
)


class Walk:
    """A platform with one row, which says at what stage of its history it is."""

    def __init__(self):
        """Let the row be there before the first stage."""
        self.house = House()
        self.now = self.house.primary
        self.house.run(self.now, "create table status as select 'none' as stage")
        self.targets, self.backups = {}, {}

    @property
    def stanza(self):
        """The stanza, at whichever server takes writes."""
        return self.house.stanza if self.now is self.house.primary else self.house.at(self.now)

    def mark(self, stage, query="select null"):
        """Let the row say a stage; return what a query says right after it."""
        marked = f"with m as (update status set stage = '{stage}' returning 1)"
        xid = self.house.value(self.now, f"{marked} select pg_current_xact_id()::text from m")
        return xid if query == "xid" else self.house.value(self.now, query)

    def back_up(self, stage, kind):
        """Mark a stage, and take a backup of it."""
        self.mark(stage)
        self.backups[stage] = take(self.stanza, kind)
        self.targets[stage] = self.backups[stage].id

    def point(self, stage, spelled, query):
        """Mark a stage, and remember the point that a query says as its target."""
        self.targets[stage] = spelled.format(self.mark(stage, query))

    def live(self):
        """Go through all stages, over a crash and a promotion."""
        for kind in ("full", "incremental", "differential"):
            self.back_up(kind, kind)
        self.point("time", "{:%Y-%m-%dT%H:%M:%S.%f%z}", "select clock_timestamp()")
        self.point("xid", "xid:{}", "xid")
        self.point("name", "name:walked", "select pg_create_restore_point('walked')")
        self.point("lsn", "lsn:{}", "select pg_current_wal_lsn()::text")
        standby = self.house.standby("standby")
        self.now.stop("immediate")
        self.now.start()
        self.point("crash", "{:%Y-%m-%dT%H:%M:%S.%f%z}", "select clock_timestamp()")
        self.timeline = self.house.value(
            self.now, "select timeline_id::int from pg_control_checkpoint()"
        )
        wal.pull(self.stanza, self.stanza.server())
        self.now = self.house.fail_over(standby)
        self.point("promotion", "xid:{}", "xid")
        self.back_up("backup after it", "full")
        self.mark("end")
        wal.pull(self.stanza, self.stanza.server())


@pytest.fixture(scope="module")
def walk():
    """Live through the history once."""
    walk = Walk()
    try:
        walk.live()
        copies = Copies(walk.stanza)
        yield SimpleNamespace(past=walk, copies=copies)
        copies.close()
    finally:
        walk.house.close()


@contextmanager
def restored(walk, target, **more):
    """Restore a copy, and take it away when the block ends."""
    done = walk.copies.restore(target, **more)
    try:
        yield done
    finally:
        walk.copies.clear(done)


def status(walk, target, **more):
    """Return the stage that a copy is at; it has one row and no other."""
    with (
        restored(walk, target, **more) as done,
        done.server.database("hl7").connect() as connection,
    ):
        ((stage,),) = connection.execute("select stage from status").fetchall()
    return stage


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_is_restored_with_its_own_row(walk, stage):
    """Scenario 1: pgBackRest's walk of the status row, over every kind of target."""
    assert status(walk, walk.past.targets[stage]) == stage


def test_the_end_of_the_history_is_the_latest(walk):
    """Scenario 1: what was marked last is there, and no stage before it."""
    assert status(walk, "latest") == "end"


@pytest.mark.parametrize(("stage", "before"), [("xid", "time"), ("promotion", "crash")])
def test_just_before_a_stage_is_the_stage_before_it(walk, stage, before):
    """Scenario 1: one transaction less; over the switch of timelines as well."""
    assert status(walk, walk.past.targets[stage], inclusive=False) == before


def test_a_crash_leaves_the_timeline_and_the_row(walk):
    """Scenario 17: it is recovered on the same timeline, and the history goes on there.

    Patroni had to be kept from taking that for a promotion.
    """
    assert walk.past.timeline == 1
    assert status(walk, "latest", timeline=1) == "crash"


@pytest.fixture
def archived(walk):
    """Give the archive of the history, and take away what a test puts into the repository."""
    storage = walk.past.stanza.catalogue.storage
    before = {each.name for each in storage.objects("main/")}
    yield walk.past.stanza.catalogue.archive(walk.past.backups["full"])
    for name in {each.name for each in storage.objects("main/")} - before:
        storage.delete(name)


def test_a_backup_is_not_recovered_along_a_stray_timeline(walk, archived):
    """Scenario 2: a test copy was promoted, and what it wrote came into the archive.

    It left the history before the backup was taken; pgBackRest refuses that, too.
    """
    with restored(walk, "name:walked", promote=True) as done:
        with done.server.database("hl7").connect() as connection:
            connection.execute("update status set stage = 'stray'")
            (name,) = connection.execute("select pg_walfile_name(pg_current_wal_lsn())").fetchone()
            connection.execute("select pg_switch_wal()")
        place = done.cluster.data / "pg_wal"
        stray = segment_named(name, archived.segment_bytes)
        archived.store_history(stray.timeline, (place / f"{name[:8]}.history").read_bytes())
        archived.store(stray, (place / name).read_bytes(), None)
    newest = walk.past.backups["backup after it"].id
    with pytest.raises(Refused, match=f"{newest}: is of timeline 2, off the way to 3"):
        walk.copies.restore("latest", timeline=3, named=newest)
    assert list(walk.copies.folder.iterdir()) == []
    assert status(walk, "latest", timeline=2) == "end"
    assert status(walk, "latest", timeline=3) == "stray"


@pytest.mark.parametrize("stage", ["differential", "crash"])
def test_a_copy_of_a_point_before_the_promotion_is_operated_on(walk, archived, stage):
    """It left the timeline that it was on, not the one that it would have come to later."""
    with restored(walk, walk.past.targets[stage], promote=True) as done:
        done.cluster.stop()
        old = done.cluster
        own = Cluster(old.data, old.sockets, 5433, old.programs, old.log)
        own.start()
        take(walk.past.house.at(own))
        assert archived.histories()[3].ancestors == (1,)
