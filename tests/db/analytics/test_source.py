"""Where reports read: a real standby, a restored copy or the primary, and never but to read."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from pandas.testing import assert_frame_equal

from tasks.analytics import findings, source
from tasks.analytics.messages import figures
from tasks.analytics.rollups.refresh import refresh
from tasks.backup.take import take
from tasks.control import clock, settings
from tasks.control.errors import OpsError, Refused, Transient
from tasks.hl7.platform import installation
from tasks.recovery.planning.target import parse
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.lending import lent
from tasks.recovery.restoring.restore import restore
from tests.db.analytics.conftest import END, bring
from tests.db.house import House


@pytest.fixture(scope="module")
def scene():
    """Bring traffic to a primary with a standby, and count its hours."""
    house = House()
    server = house.stanza.server()
    installation.install(server)
    bring(server, 1500)
    refresh(server, END)
    standby = house.standby("standby")
    house.sync(house.primary, standby)
    yield SimpleNamespace(house=house, primary=house.primary, server=server, standby=standby)
    house.close()


@pytest.fixture
def place(scene):
    """Return what chooses where to read, as settings say."""

    def place(**known):
        found = settings.load(hl7ops_home=scene.house.path, **known)
        return source.choose(found, scene.server, lent(found))

    return place


@pytest.fixture
def standby(scene, place):
    """Return the standby as a source."""
    return place(analytics_url=scene.house.server(scene.standby).address)


def gathered(place, kind="performance"):
    """Read a report as of the end of the traffic."""
    return findings.gather(place, kind, now=END, limit_ms=500)


def test_the_setting_that_says_more_is_followed(place, scene):
    """ANALYTICS_URL before STANDBY_URL before the primary, which is told to be one."""
    one, other = "host=/one dbname=x", "host=/other dbname=x"
    assert place(analytics_url=one, standby_url=other).server.address == one
    found = place(standby_url=other, analytics_timeout_seconds=7, analytics_timezone="Asia/Tokyo")
    assert (found.kind, found.server.address) == ("standby", other)
    assert (found.timeout_s, found.timezone) == (7, "Asia/Tokyo")
    assert place().kind == "primary"
    assert place().server == scene.server


def test_a_standby_tells_what_the_primary_tells_which_may_be_down(scene, place, standby):
    """So nothing is asked of the primary."""
    ours = [gathered(place(), kind) for kind in ("performance", "clinical")]
    scene.house.sync(scene.primary, scene.standby)
    scene.primary.stop("immediate")
    try:
        theirs = [gathered(standby, kind) for kind in ("performance", "clinical")]
    finally:
        scene.primary.start()
    for found, expected in zip(theirs, ours, strict=True):
        assert found.kpis == expected.kpis
        assert (found.origin.source, found.origin.as_of) == ("a standby", END.replace(minute=0))
    frames = [figures.by_connection(each[0].messages) for each in (theirs, ours)]
    assert_frame_equal(*frames)
    assert theirs[1].disclosure.cells.counts == ours[1].disclosure.cells.counts


def test_the_data_of_a_standby_are_of_what_it_has_replayed_last(scene, standby):
    """However much the primary has written since; of a primary they are of now."""
    add = "insert into counted values (1)"
    begun = clock.now()
    scene.house.run(scene.primary, add)
    ended = clock.now()
    scene.house.sync(scene.primary, scene.standby)
    rows = scene.house.value(scene.standby, "select count(*) from counted")
    scene.house.run(scene.standby, "select pg_wal_replay_pause()")
    try:
        scene.house.run(scene.primary, add)
        with source.session(standby) as asking:
            assert begun <= asking.data_as_of <= ended
            assert asking.rows("rows", "select count(*) from counted", {}) == [(rows,)]
    finally:
        scene.house.run(scene.standby, "select pg_wal_replay_resume()")


def test_the_data_of_a_primary_are_of_now(scene, place):
    """By its own clock."""
    begun = clock.now()
    with source.session(place()) as asking:
        assert begun <= asking.data_as_of <= clock.now()


def test_a_snapshot_sees_nothing_that_comes_meanwhile(scene, place):
    """All questions of a report are of one moment."""
    with source.session(place()) as asking:
        ask = ("rows", "select count(*) from counted", {})
        before = asking.rows(*ask)
        scene.house.run(scene.primary, "insert into counted values (1)")
        assert asking.rows(*ask) == before
    assert [each.name for each in asking.asked] == ["rows", "rows"]


@pytest.mark.parametrize(("kind", "workers"), [("primary", "0"), ("standby", "2")])
def test_only_the_primary_is_spared_parallel_questions(place, standby, kind, workers):
    """There is other work for its cores."""
    with source.session(place() if kind == "primary" else standby) as asking:
        ask = "select current_setting('max_parallel_workers_per_gather')"
        assert asking.rows("workers", ask, {}) == [(workers,)]


@pytest.mark.parametrize("at", ["primary", "standby"])
def test_a_question_that_takes_too_long_may_be_asked_again(scene, place, at):
    """The text says which stanza, what happened and what to do."""
    url = {"analytics_url": scene.house.server(scene.standby).address} if at == "standby" else {}
    told = []
    with (
        pytest.raises(Transient) as caught,
        source.session(place(analytics_timeout_seconds=1, **url), told.append) as asking,
    ):
        asking.rows("a long one", "select pg_sleep(20)", {})
    assert told == ["a long one"]
    assert str(caught.value) == (
        "stanza main: the database did not do it; seen: QueryCanceled (57014) canceling statement"
        " due to statement timeout; next: see that the server runs and is not overloaded"
    )


def test_a_table_that_is_locked_is_waited_for_two_seconds(scene, place):
    """Then it is the same kind of error; nobody waits behind a report."""
    with scene.server.connect(autocommit=False) as connection:
        connection.execute("lock table hl7_analytics.message_hours")
        with pytest.raises(Transient, match="LockNotAvailable"):
            gathered(place())


def test_a_standby_that_goes_on_without_its_readers_may_be_asked_again(scene, standby):
    """Replay goes first there: what changes a table cancels who still reads it."""
    house, delay = scene.house, "alter system {} max_standby_streaming_delay {}"
    ask = ("rows", "select count(*) from counted", {})
    house.run(scene.standby, delay.format("set", "= 0"), "select pg_reload_conf()")

    def overtaken():
        with source.session(standby) as asking:
            asking.rows(*ask)
            house.run(scene.primary, "truncate counted")
            house.sync(scene.primary, scene.standby)
            asking.rows(*ask)

    try:
        with pytest.raises(Transient, match="conflict with recovery"):
            overtaken()
    finally:
        house.run(scene.standby, delay.format("reset", ""), "select pg_reload_conf()")


def test_a_server_that_is_not_there_may_be_asked_again(place):
    """By the stanza's name, without its address."""
    with pytest.raises(Transient, match="stanza main") as caught:
        gathered(place(analytics_url="postgresql://ops:open-sesame@127.0.0.1:1/hl7"))
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "view"), [("clinical", "lab_results"), ("executive", "encounters")]
)
def test_a_view_that_is_missing_is_named(platform, kind, view):
    """It may be missing; then its report cannot be had, and the others can."""
    refresh(platform, END)
    place = source.choose(settings.load(), platform)
    with platform.connect() as connection:
        connection.execute(f"drop view hl7_contract.{view}")
    with pytest.raises(Refused, match=f"no {view} in hl7_contract.*CONTRACT.md"):
        gathered(place, kind)
    assert gathered(place).messages is not None


def test_a_source_without_rollups_is_refused(platform):
    """With the verb that makes them."""
    with pytest.raises(Refused, match=r"never refreshed.*next: hl7ops rollup"):
        gathered(source.choose(settings.load(), platform))


@pytest.mark.parametrize(
    "statement",
    [
        "insert into counted values (1)",
        "delete from hl7_analytics.alerts",
        "truncate counted",
        "create table t ()",
        "create temp table t ()",
        "drop view hl7_contract.patients",
        "select nextval('hl7.messages_id_seq')",
        "set transaction read write",
    ],
)
def test_nothing_can_be_written(place, statement):
    """Also where the primary is read, by its superuser."""
    with (
        pytest.raises(OpsError, match=r"read-only transaction|read-write mode must be set before"),
        source.session(place()) as asking,
    ):
        asking.rows("a write", statement, {})


def test_a_restored_copy_is_read_where_its_setting_names_one(scene, place, standby):
    """It stands before a standby; it tells the figures of its own moment, in the same database."""
    path, begun = scene.house.path / "restored", clock.now()
    take(scene.house.stanza)
    done = restore(scene.house.stanza, parse("latest"), Destination(path))
    try:
        found = place(analytics_copy=path, analytics_url=standby.server.address)
        copied, ours = gathered(found), gathered(place())
        assert copied.origin.source == "a restored copy"
        assert copied.kpis == ours.kpis
        with source.session(found) as asking:
            assert begun - timedelta(seconds=1) < asking.data_as_of < done.restored_at
    finally:
        done.cluster.stop("immediate")
