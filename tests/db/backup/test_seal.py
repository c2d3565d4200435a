"""Seals under writers: exact where they can be, and honest where they cannot."""

import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tasks.backup import seal, take
from tasks.backup.digest_reader import GONE, LOST
from tasks.backup.observations import EMPTY, IN_OWN
from tasks.backup.seal_options import SealOptions
from tasks.control.errors import OpsError
from tasks.postgres import lock_watch, schema_dump
from tasks.recovery.proving.verify import verify
from tasks.repository.catalogue import Catalogue
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


def taken(stanza, progress=lambda _: None, **options):
    """Seal a stanza's cluster."""
    name = BackupId("full-20261123T000000Z")
    server = stanza.server()
    return seal.take(server, stanza.programs, name, SealOptions(**options), progress=progress)


def run(stanza, *statements):
    """Run statements, one after the other."""
    with stanza.server().connect() as connection:
        for statement in statements:
            connection.execute(statement)


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

    Rows that are deleted and added meanwhile are within the bounds, and the proof is by those.
    """
    delete = "delete from counted where id = (select max(id) from counted)"
    add = "insert into counted (n) values (1)"
    with (
        stanza.server().connect(autocommit=False) as writer,
        pytest.MonkeyPatch.context() as patch,
    ):
        writer.execute("update counted set n = 0 where id = 1")
        meddled(patch, before("public.counted", stanza, delete, add))
        made = take.take(stanza)
        writer.commit()
    assert made.seal.mode == "bounded"
    proof = verify(stanza, made.id)
    assert proof.failed == []
    assert any(check.name.startswith("rows that must be there") for check in proof.checks)


def test_a_lock_that_writes_nothing_leaves_a_quiet_instant(stanza):
    """Where a vacuum keeps the locks away and nobody writes, the seal is exact all the same."""
    with stanza.server().connect(autocommit=False) as vacuum:
        vacuum.execute("lock table counted in share update exclusive mode")
        sealed, _ = taken(stanza, attempts=2)
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
        sealed, _ = taken(stanza, attempts=3)
        done.set()
        thread.join()
    assert slowest[0] < 1.0
    assert sealed.mode != "locked"
    assert sealed.held_ms is None


def test_a_sequence_that_stands_still_is_sealed_as_it_is(stanza):
    """It is where it was, with what the log has ahead of it."""
    with stanza.server().connect() as connection:
        connection.execute("create sequence numbers; select nextval('numbers')")
        sealed, measured = taken(stanza)
        connection.execute("select nextval('numbers') from generate_series(1, 100)")
    found = measured.sequence_states["hl7.public.numbers"]
    assert (found.before.given, found.before.replayed, found.after) == ((1, True), (33, True), None)
    assert 0 < sealed.held_ms < 100


def test_a_sequence_that_runs_while_it_is_sealed_is_sealed_by_both_states(stanza):
    """The copy has it between them."""
    run(stanza, "create sequence running", "select nextval('running')")
    server = stanza.server()

    def advance(_table):
        with server.connect() as connection:
            connection.execute("select nextval('running') from generate_series(1, 100)")

    with pytest.MonkeyPatch.context() as patch:
        meddled(patch, advance)
        made = take.take(stanza)
    state = stanza.catalogue.fingerprint(made).sequence_states["hl7.public.running"]
    assert state.before.given < state.after.given
    proof = verify(stanza, made.id)
    assert proof.verdict == "proven", proof.failed


def meddled(patch, deed):
    """Let something happen before each table that a backup's seal reads."""
    real = seal.take

    def take_meddled(*arguments, progress):
        def both(table):
            deed(table)
            progress(table)

        return real(*arguments, progress=both)

    patch.setattr(seal, "take", take_meddled)


def before(table, stanza, *statements):
    """Return what runs statements once, before a table is read."""
    done = []

    def deed(name):
        if name == table and not done:
            done.append(name)
            run(stanza, *statements)

    return deed


LATER = {
    "emptied": ["truncate z_moving"],
    "emptied and filled": ["truncate z_moving", "insert into z_moving select 7"],
    "rewritten": ["vacuum full z_moving"],
    "made of another type": ["alter table z_moving alter column n type text"],
}


@pytest.mark.parametrize("how", LATER)
def test_a_table_that_is_emptied_or_rewritten_before_it_is_read_is_sealed_later(stanza, how):
    """At a restore point of its own, through which the proof walks; all the rest at the first."""
    run(
        stanza,
        "drop table if exists z_moving, a_still",
        "create table a_still as select 1 as n",
        "create table z_moving as select generate_series(1, 100) as n",
    )
    with pytest.MonkeyPatch.context() as patch:
        meddled(patch, before("public.a_still", stanza, *LATER[how]))
        made = take.take(stanza)
    run(stanza, "insert into z_moving select null", "update a_still set n = 2")
    (later,) = made.seal.later
    assert later.name.startswith(f"{made.id}-later-")
    tables = {each.table: each for each in stanza.catalogue.fingerprint(made).tables}
    assert tables["public.z_moving"].moment == 1
    assert tables["public.a_still"].moment == tables["public.counted"].moment == 0
    proof = verify(stanza, made.id)
    assert proof.failed == []
    assert proof.verdict == ("partial" if how == "made of another type" else "proven")


def test_a_table_that_was_sealed_later_and_is_damaged_fails_the_proof(stanza):
    """It is compared like all others."""
    run(stanza, "drop table if exists z_moving", "create table z_moving as select 1 as n")
    run(stanza, "drop table if exists a_still", "create table a_still as select 1 as n")
    with pytest.MonkeyPatch.context() as patch:
        meddled(patch, before("public.a_still", stanza, "truncate z_moving"))
        made = take.take(stanza)
    sealed = stanza.catalogue.fingerprint(made)
    assert [each.table for each in sealed.tables if each.moment == 1] == ["public.z_moving"]

    changed = replace(
        sealed,
        tables=[replace(each, rows=9) if each.moment == 1 else each for each in sealed.tables],
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Catalogue, "fingerprint", lambda _self, _backup: changed)
        proof = verify(stanza, made.id)
    assert [check.seen for check in proof.failed] == ["hl7.public.z_moving"]


def test_a_table_that_is_dropped_before_it_is_read_is_named(stanza):
    """The backup is kept, and its proof is partial."""
    run(stanza, "drop table if exists z_gone", "create table z_gone as select 1 as n")
    with pytest.MonkeyPatch.context() as patch:
        meddled(patch, before("public.counted", stanza, "drop table z_gone"))
        made = take.take(stanza)
    (gone,) = [
        each
        for each in stanza.catalogue.fingerprint(made).omitted
        if each.subject == "hl7.public.z_gone"
    ]
    assert gone.reason == GONE
    assert made.seal.skipped > 0
    proof = verify(stanza, made.id)
    assert proof.failed == []
    assert proof.verdict == "partial"


@pytest.fixture
def passing(stanza):
    """Make a database that is read after the one of the stanza, and may go."""
    run(stanza, "drop database if exists z_passing", "create database z_passing")
    with stanza.server().database("z_passing").connect() as connection:
        connection.execute("create table held as select generate_series(1, 10) as n")
    yield "z_passing"
    run(stanza, *(f"drop database if exists {name}" for name in ("z_passing", "z_copy", "z_new")))


GOING = {
    "drop": "drop database z_passing",
    "rename": "alter database z_passing rename to z_new",
}


@pytest.mark.parametrize("how", GOING)
def test_a_database_that_goes_while_it_is_sealed_is_named_and_kept_from_nobody(
    stanza, passing, how
):
    """Who drops it waits for the seal to leave; what was not read of it is named."""
    with pytest.MonkeyPatch.context() as patch:
        meddled(patch, before("public.counted", stanza, GOING[how]))
        made = take.take(stanza)
    fingerprint = stanza.catalogue.fingerprint(made)
    named = {each.subject: each.reason for each in fingerprint.omitted}
    assert named["z_passing.public.held"] == LOST
    assert made.seal.later == []
    assert {each.database for each in fingerprint.tables} >= {"hl7"}
    proof = verify(stanza, made.id)
    assert proof.failed == []
    assert proof.verdict == "partial"


def test_a_database_that_is_copied_while_it_is_sealed_is_sealed_again(stanza, passing):
    """The seal leaves it, and comes back at another restore point; nothing is left out."""
    with pytest.MonkeyPatch.context() as patch:
        meddled(
            patch, before("public.counted", stanza, f"create database z_copy template {passing}")
        )
        made = take.take(stanza)
    fingerprint = stanza.catalogue.fingerprint(made)
    assert fingerprint.moments[passing] == 1
    assert fingerprint.moments["hl7"] == 0
    assert [each for each in fingerprint.omitted if each.database == passing] == []
    proof = verify(stanza, made.id)
    assert proof.failed == []


def test_where_nobody_looks_who_wants_a_database_he_fails(stanza, passing):
    """PostgreSQL waits five seconds for its sessions to go."""
    refused = []

    def deed(table):
        if table == "public.counted":
            try:
                run(stanza, f"drop database {passing}")
            except OpsError as error:
                refused.append(str(error))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lock_watch, "SELDOM", 10**9)
        taken(stanza, deed)
    assert len(refused) == 1
    assert "being accessed by other users" in refused[0]


@pytest.mark.parametrize("kind", ["full", "snapshot"])
def test_definitions_of_a_copy_that_cannot_be_read_condemn_nothing(stanza, kind):
    """A check that could not run says nothing against a backup; it is named."""
    made = take.take(stanza, kind)
    real = schema_dump.of_database

    def failing(tools, server, **which):
        if server.parameters()["dbname"] == "hl7":
            raise OpsError("pg_dump failed", seen="canceling statement due to lock timeout")
        return real(tools, server, **which)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema_dump, "of_database", failing)
        proof = verify(stanza, made.id)
    assert proof.failed == []
    said = " ".join(check.seen for check in proof.checks if check.outcome == "partial")
    assert "definitions of database hl7 (pg_dump failed" in said


@pytest.mark.parametrize("kind", ["full", "snapshot"])
def test_what_users_made_in_schemas_of_postgres_is_named(stanza, kind):
    """No dump tells of it, so that nothing is compared, and a snapshot does not hold it."""
    with stanza.server().connect() as connection:
        connection.execute("set allow_system_table_mods = on")
        connection.execute("create table information_schema.hidden as select 1 as n")
        connection.execute(
            "create function pg_catalog.hidden() returns int language sql as 'select 1'"
        )
    made = take.take(stanza, kind)
    proof = verify(stanza, made.id)
    with stanza.server().connect() as connection:
        connection.execute("set allow_system_table_mods = on")
        connection.execute("drop table information_schema.hidden; drop function pg_catalog.hidden")
    said = " ".join(check.seen for check in proof.checks if check.outcome == "partial")
    assert f"hl7: table information_schema.hidden ({IN_OWN})" in said
    assert "hl7: function pg_catalog.hidden()" in said


def test_an_unlogged_table_is_named_and_does_not_make_the_proof_partial(stanza):
    """PostgreSQL empties it in every recovery."""
    run(stanza, "create unlogged table passing as select 1 as n")
    made = take.take(stanza)
    (named,) = [
        each
        for each in stanza.catalogue.fingerprint(made).omitted
        if each.subject == "hl7.public.passing"
    ]
    assert (named.reason, named.is_expected) == (EMPTY, True)
    proof = verify(stanza, made.id)
    assert proof.verdict == "proven", proof.failed
    run(stanza, "drop table passing")


@pytest.mark.parametrize("damage", ["a page", "a file"])
def test_a_table_that_cannot_be_read_keeps_no_other_from_being_sealed(stanza, damage):
    """It is named, and the backup is taken."""
    run(stanza, "create table broken as select generate_series(1, 1000) as n", "checkpoint")
    with stanza.server().connect() as connection:
        (name,) = connection.execute("select pg_relation_filepath('broken')").fetchone()
    primary = stanza.home.primary
    primary.stop()
    path, kept = primary.data / name, (primary.data / name).read_bytes()
    if damage == "a page":
        path.write_bytes(b"\xff" * 8192 + kept[8192:])
    else:
        path.rename(path.with_suffix(".away"))
    primary.start()
    try:
        sealed, measured = taken(stanza)
    finally:
        primary.stop()
        path.write_bytes(kept)
        stanza.home.owner.take(path)
        path.with_suffix(".away").unlink(missing_ok=True)
        primary.start()
        run(stanza, "drop table broken")
    assert sealed.skipped == 1
    assert "public.counted" in {each.table for each in measured.tables}
    (named,) = [each for each in measured.omitted if not each.is_expected]
    assert named.subject == "hl7.public.broken"
    assert named.reason.startswith("it cannot be read: ")


@pytest.mark.parametrize(
    "statement",
    [
        "create temporary table mine (n serial primary key, name text)",
        "refresh materialized view seen",
    ],
)
def test_what_changes_no_definition_leaves_the_proof_whole(stanza, statement):
    """Temporary tables come and go all the time; a view that is refreshed has another TOAST."""
    run(stanza, "create materialized view seen as select id, n::text from counted")
    done = []
    with stanza.server().connect() as other, pytest.MonkeyPatch.context() as patch:

        def deed(_table):
            if not done:
                done.append(other.execute(statement))

        meddled(patch, deed)
        made = take.take(stanza)
    run(stanza, "drop materialized view seen")
    sealed = stanza.catalogue.fingerprint(made)
    assert [each.told for each in sealed.omitted if not each.is_expected] == []
    assert verify(stanza, made.id).verdict == "proven"


def test_an_object_that_is_changed_while_it_is_sealed_is_named(stanza):
    """What needs it is not compared; all other definitions are."""
    run(stanza, "create table altered (n int); create view of_it as select n from altered")
    with pytest.MonkeyPatch.context() as patch:
        deed = before("public.altered", stanza, "comment on column altered.n is 'changed'")
        meddled(patch, deed)
        made = take.take(stanza)
    sealed = stanza.catalogue.fingerprint(made)
    named = [each.subject for each in sealed.omitted if "changed while" in each.reason]
    assert named == ["hl7: public.altered"]
    assert "hl7: table public.counted" in sealed.definitions
    assert not {"hl7: table public.altered", "hl7: view public.of_it"} & set(sealed.definitions)
    proof = verify(stanza, made.id)
    assert proof.failed == []
    assert proof.verdict == "partial"


def test_whatever_fails_while_it_is_sealed_the_backup_is_kept(stanza, monkeypatch):
    """It says that nothing is known of its contents, and why."""

    def fail(*_, **__):
        raise take.OpsError("no restore point", seen="a test")

    monkeypatch.setattr(seal, "take", fail)
    made = take.take(stanza)
    assert (made.seal.mode, made.seal.points) == ("none", [])
    proof = verify(stanza, made.id)
    assert proof.failed == []
    assert proof.verdict == "partial"
    assert any("not sealed: " in check.seen for check in proof.checks)
