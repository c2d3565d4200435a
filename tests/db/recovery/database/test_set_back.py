"""One database of a live cluster is set back, while the others take writes."""

import json
import shutil
import tempfile
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from psycopg import sql

from tasks.backup import wal
from tasks.backup.take import take
from tasks.control import settings
from tasks.control.errors import Corrupt, Refused, Transient
from tasks.hl7 import ingest
from tasks.hl7.generator import populate
from tasks.hl7.platform import installation
from tasks.recovery.database import swap as swaps
from tasks.recovery.database.beside import discard, prepare
from tasks.recovery.database.setting_back import loaded, set_back, swap_in
from tasks.recovery.planning.target import parse
from tasks.repository.proof import Check
from tasks.repository.stanza import open_stanza


END = datetime(2026, 11, 23, tzinfo=UTC)


def value(server, query):
    """Return one value."""
    with server.connect() as connection:
        return connection.execute(query).fetchone()[0]


def run(server, *statements):
    """Run statements, one after the other."""
    with server.connect() as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture(scope="module")
def site():
    """Run a platform and another database beside it, with a mishap after a known moment."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-database-"))
    home.chmod(0o755)
    stanza = open_stanza(settings.load(hl7ops_home=home))
    server = stanza.server()
    installation.install(server)
    populate.populate(server, ingest.load_generated, 200, seed=3, end=END, days=5)
    run(
        server,
        "create role reader",
        "grant connect on database hl7 to reader with grant option",
        'alter database hl7 set search_path = hl7, "$user", public',
        "alter database hl7 connection limit 90",
        "comment on database hl7 is 'the platform'",
        "create database other",
    )
    run(server.database("other"), "create table counted (n int)")
    take(stanza)
    snapshot = take(stanza, "snapshot")
    before = value(server, "select count(*) from hl7.messages")
    moment = value(server, "select clock_timestamp()")
    run(
        server,
        "delete from hl7.lab_results",
        "drop view hl7_contract.lab_results",
        "create table public.late (n int)",
    )
    run(server.database("other"), "insert into counted values (1)")
    wal.pull(stanza, server)
    yield SimpleNamespace(
        stanza=stanza,
        server=server,
        moment=moment.isoformat(),
        snapshot=snapshot.id,
        messages=before,
    )
    stanza.home.primary.stop("immediate")
    shutil.rmtree(home)


def databases(site):
    """List the databases."""
    return value(
        site.server.database("postgres"), "select array_agg(datname order by 1) from pg_database"
    )


@pytest.fixture
def writers(site):
    """Let the other database take writes all along; give how many it has acknowledged."""
    over, written = threading.Event(), []

    def write():
        with psycopg.connect(site.server.database("other").address, autocommit=True) as connection:
            while not over.is_set():
                connection.execute("insert into counted values (%s)", [len(written) + 2])
                written.append(len(written) + 2)
                time.sleep(0.01)

    thread = threading.Thread(target=write)
    thread.start()
    yield written
    over.set()
    thread.join()


@pytest.mark.parametrize("origin", ["moment", "snapshot"])
def test_what_is_not_approved_is_not_swapped(site, origin):
    """It is shown the rows by table; nothing of it is left, and nothing has changed."""
    shown = []
    before, target = databases(site), parse(getattr(site, origin))
    done = set_back(site.stanza, "hl7", target, lambda found: shown.append(found) or False)
    assert done.swapped is None
    differing = {
        d.table: (d.live, d.restored) for d in shown[0].compared.differences if d.live != d.restored
    }
    assert differing["public.late"] == (0, None)
    assert differing["hl7.lab_results"][0] == 0
    assert differing["hl7.lab_results"][1] > 0
    assert databases(site) == before
    assert list((site.stanza.home.path / "side").iterdir()) == []
    with pytest.raises(Refused, match="there is nothing to roll back to"):
        swaps.roll_back(site.server, "hl7")


def test_a_database_with_a_subscription_is_refused(site):
    """A copy of one would lead to the slot of the other."""
    other = site.server.database("other")
    run(
        other,
        "create subscription sub connection 'host=nowhere' publication x"
        " with (connect = false, slot_name = none)",
    )
    with pytest.raises(Refused, match="sub in other"):
        set_back(site.stanza, "other", parse(site.moment), lambda _: True)
    run(other, "drop subscription sub")


def test_a_database_is_set_back_and_forth_while_others_take_writes(site, writers):
    """Its rows, views, settings and grants are those of then; the other lost no write.

    Scenario 3: pgBackRest restores some databases and leaves another one out; here none of the
    others is touched.
    """
    with psycopg.connect(site.server.address) as client:
        done = set_back(site.stanza, "hl7", parse(site.moment), lambda _: True)
        with pytest.raises(psycopg.OperationalError):
            client.execute("select 1")
    assert done.swapped.seconds < 5
    assert {check.outcome for check in done.checks} == {"pass"}
    server = site.server
    assert value(server, "select count(*) from hl7.messages") == site.messages
    assert value(server, "select count(*) from hl7.lab_results") > 0
    assert value(server, "select to_regclass('public.late')") is None
    assert value(server, "show search_path") == 'hl7, "$user", public'
    assert value(server, "select datconnlimit from pg_database where datname = 'hl7'") == 90
    assert value(
        server, "select has_database_privilege('reader', 'hl7', 'connect with grant option')"
    )
    comment = "select shobj_description(oid, 'pg_database') from pg_database where datname = '{}'"
    assert value(server, comment.format("hl7")) == "the platform"
    said = json.loads(value(server, comment.format(done.swapped.previous)))
    assert said["hl7ops"]["of"] == "hl7"

    back = swaps.roll_back(server, "hl7")
    assert back.seconds < 5
    assert value(server, "select count(*) from hl7.lab_results") == 0
    assert value(server, "select to_regclass('public.late')") is not None
    assert value(server, comment.format("hl7")) == "the platform"
    run(server.database("postgres"), f'drop database "{back.previous}"')
    count = len(writers)
    time.sleep(0.1)
    assert len(writers) > count
    assert value(server.database("other"), "select count(*) from counted") >= count + 1


def test_what_does_not_stand_after_the_swap_is_rolled_back(site):
    """By itself; what was swapped in is kept, to be looked at."""
    beside = prepare(site.stanza, "hl7", parse(site.moment))

    def mishap():
        run(site.server, "drop table hl7.lab_results cascade")

    try:
        with pytest.raises(Corrupt, match=r"was rolled back; seen: .*no hl7\.lab_results"):
            swap_in(site.server, beside, mishap)
    finally:
        discard(site.stanza, "hl7")
    assert value(site.server, "select to_regclass('public.late')") is not None
    (undone,) = [name for name in databases(site) if name.startswith("hl7_undone_")]
    run(site.server.database("postgres"), f'drop database "{undone}"')


def test_a_role_that_is_gone_is_named_and_nothing_is_left(site):
    """F2, F18: what cannot be loaded whole is a failure with the object's name."""
    before = databases(site)
    run(site.server, "revoke all on database hl7 from reader", "drop role reader")
    try:
        with pytest.raises(Corrupt, match='role "reader" does not exist'):
            set_back(site.stanza, "hl7", parse(site.moment), lambda _: True)
    finally:
        run(
            site.server,
            "create role reader",
            "grant connect on database hl7 to reader with grant option",
        )
    assert databases(site) == before


def test_what_was_not_loaded_as_it_was_is_dropped_again(site):
    """Whoever asked for it: a person at a terminal, or the runbook."""
    before = databases(site)
    beside = prepare(site.stanza, "hl7", parse(site.moment))
    failed = [Check("contents", "row counts", "fail", "hl7.messages")]
    bad = replace(beside, compared=replace(beside.compared, checks=failed))
    with (
        pytest.raises(Corrupt, match=r"was not loaded as it was; seen: row counts: hl7\.messages"),
        loaded(site.stanza, "hl7", lambda: bad),
    ):
        pytest.fail("it was given out")
    assert databases(site) == before
    assert list((site.stanza.home.path / "side").iterdir()) == []


def test_one_that_was_not_there_then_is_refused(site):
    """Nor can one be set back that is not there now."""
    run(site.server.database("postgres"), "create database young")
    with pytest.raises(Refused, match="there is no such database; seen: young"):
        set_back(site.stanza, "young", parse(site.moment), lambda _: True)
    with pytest.raises(Refused, match="there is no such database; seen: nowhere"):
        set_back(site.stanza, "nowhere", parse(site.moment), lambda _: True)
    run(site.server.database("postgres"), "drop database young")


@pytest.mark.parametrize("name", ["../decoy", "Odd DB'ü per%cent", 'quo"te', "hl7" * 20])
def test_a_database_may_have_any_name(site, name):
    """It never leads to a directory that is not ours."""
    server, decoy = site.server, site.stanza.home.path / "decoy"
    decoy.mkdir()
    (decoy / "file").write_text("all of it")
    with server.database("postgres").connect() as connection:
        quoted = sql.Identifier(name)
        connection.execute(sql.SQL("create database {}").format(quoted))
        inside = server.database(name)
        run(inside, "create table t (t text, n int)", "insert into t values ('then', 1)")
        moment = value(server, "select clock_timestamp()").isoformat()
        run(
            inside,
            "update t set n = 2",
            "create unlogged table passing (n int)",
            "create view v as select 1 as n",
        )
        wal.pull(site.stanza, server)
        seen = []
        set_back(site.stanza, name, parse(moment), lambda found: seen.append(found) or True)
        assert value(inside, "select n from t") == 1
        differing = [d.table for d in seen[0].compared.differences if not d.is_same]
        assert differing == ["public.passing", "public.t"]
        assert "view public.v" in seen[0].compared.objects
        back = swaps.roll_back(server, name)
        assert value(inside, "select n from t") == 2
        for each in (name, back.previous):
            connection.execute(sql.SQL("drop database {}").format(sql.Identifier(each)))
    assert (decoy / "file").read_text() == "all of it"
    shutil.rmtree(decoy)
    assert list((site.stanza.home.path / "side").iterdir()) == []


def test_prepared_transactions_are_told(site):
    """They would hold a rename up for ever."""
    run(site.server, "alter system set max_prepared_transactions = 5")
    site.stanza.home.primary.stop()
    server = site.stanza.server()
    run(server.database("postgres"), "create database a", "create database b")
    with server.database("a").connect() as connection:
        connection.execute("begin; create table t (n int); prepare transaction 'held'")
    aside = swaps.aside("a", "restoring", swaps.clock.now())
    with pytest.raises(Refused, match="1 in a or b"):
        swaps.swap(server, "a", type(aside)("b", "a", "restoring", aside.at))
    run(server.database("a"), "rollback prepared 'held'")
    run(server.database("postgres"), "drop database a", "drop database b")


def test_a_swap_that_breaks_off_changes_nothing(site, monkeypatch):
    """Both names in one transaction: the name leads to a database at every instant."""
    run(site.server.database("postgres"), "create database a", "create database b")
    aside = swaps.aside("a", "restoring", swaps.clock.now())
    before = databases(site)
    monkeypatch.setattr(swaps, "PATIENCE_S", 0)

    def broken(*_):
        raise Transient("the connection was lost")

    monkeypatch.setattr(swaps, "unmark", broken)
    with pytest.raises(Transient):
        swaps.swap(site.server, "a", type(aside)("b", "a", "restoring", aside.at))
    assert databases(site) == before
    run(site.server.database("postgres"), "drop database a", "drop database b")
