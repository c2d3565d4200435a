"""Snapshots: dumps that load whole into a new cluster and equal their seal, whatever is in them."""

import os
import re
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from tasks.backup import take
from tasks.backup.database_dump import EMPTIED, DatabaseDump
from tasks.control import settings
from tasks.control.errors import Corrupt, OpsError, Refused, Transient
from tasks.postgres import capacity, programs, table_digest
from tasks.recovery.proving.verify import verify
from tasks.repository.stanza import open_stanza


ODD = 'odd "name", too'


@pytest.fixture(scope="module")
def stanza():
    """Open a stanza with a cluster that has some of everything."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-snapshot-"))
    home.chmod(0o755)
    opened = open_stanza(settings.load(hl7ops_home=home, snapshot_compression=1))
    (home / "space").mkdir()
    opened.home.owner.take(home / "space")
    with opened.server().connect() as connection:
        for statement in (
            f"create tablespace elsewhere location '{home}/space'",
            "create role clerk login password 'open-sesame' connection limit 3",
            "create role readers",
            "grant readers to clerk",
            "alter role clerk set work_mem = '5MB'",
            'create database "' + ODD.replace('"', '""') + '" owner clerk encoding latin1'
            " locale 'C' template template0",
            "alter database hl7 set statement_timeout = '1h'",
            "grant connect on database hl7 to readers",
            "create type colour as enum ('red', 'green')",
            (
                "create table fruit (id bigint generated always as identity primary key,"
                " hue colour, name text, weight float8, at timestamptz, more jsonb)"
                " tablespace elsewhere"
            ),
            (
                "insert into fruit (hue, name, weight, at, more)"
                " select 'red', 'n' || n, n / 3.0, now(), jsonb_build_object('n', n)"
                " from generate_series(1, 999) n"
            ),
            "alter table fruit add column gone int",
            "alter table fruit drop column gone",
            "comment on table fruit is 'it''s; two\nlines'",
            "grant select on fruit to readers",
            "grant select (id) on fruit to public",
            "alter table fruit enable row level security",
            "alter table fruit force row level security",
            "create policy mine on fruit using (id < 5)",
            "create extension pg_trgm",
            "create index by_name on fruit using gin (name gin_trgm_ops)",
            "create view seen as select name from fruit",
            "create materialized view counted as select count(*) from fruit",
            "create unlogged table passing (n int)",
            "select lo_from_bytea(4711, 'a large object')",
            "select lo_put(lo_create(4712), 5000, 'with a hole')",
            "create sequence counter",
            "select nextval('counter') from generate_series(1, 50)",
            "alter default privileges grant select on tables to readers",
            "create publication everything for all tables",
        ):
            connection.execute(statement.encode())
    yield opened
    opened.home.primary.stop("immediate")
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def snapshot(stanza):
    """Take one."""
    return take.take(stanza, "snapshot")


def test_a_snapshot_equals_its_source(stanza, snapshot):
    """Rows, large objects, sequences, roles, grants, settings, tablespaces: F18 of the failures."""
    assert [dump.database for dump in snapshot.dumps] == ["hl7", ODD, "postgres", "template1"]
    assert snapshot.seal.mode == "snapshot"
    proof = verify(stanza, snapshot.id)
    assert proof.verdict == "proven", proof.failed
    assert {table.table for table in stanza.catalogue.fingerprint(snapshot).tables} == {
        "public.fruit",
        "public.counted",
        "public.passing",
        "large objects",
    }


def test_what_is_written_while_it_is_taken_is_in_no_part_of_it(stanza):
    """All dumps and the seal are of one snapshot."""
    stop = threading.Event()

    def write():
        with stanza.server().connect() as connection:
            while not stop.is_set():
                connection.execute("insert into fruit (name) values ('late')")
                connection.execute("update fruit set weight = weight + 1 where id < 5")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = [take.take(stanza, "snapshot") for _ in range(2)]
    finally:
        stop.set()
        writer.join()
    for each in made:
        assert unproven(verify(stanza, each.id)) == []


REFRESHED = (
    "the dump carries everything",
    "partial",
    "hl7.public.counted (refreshed when it was loaded)",
)
"""What a view has that was not refreshed in its source since what it is of was written."""


def unproven(proof):
    """Return what did not pass."""
    return [(each.name, each.outcome, each.seen) for each in proof.checks if each.outcome != "pass"]


def spoiled(stanza, snapshot, name, change):
    """Load a snapshot of which one dump was changed before it was kept; return what failed."""
    from tasks.recovery.proving import logical

    real = logical.LogicalVerification._fetch  # noqa: SLF001

    def fetch(self, item):
        real(self, item)
        if item.plain_name == name:
            change(self.files / name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logical.LogicalVerification, "_fetch", fetch)
        proof = verify(stanza, snapshot.id)
    assert proof.verdict == "failed"
    return " ".join(f"{check.tier}: {check.seen}" for check in proof.failed)


def edited(old, new):
    """Return what replaces a text in a script."""

    def change(path):
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return change


LOSSES = {
    "a role that is missing": (edited("CREATE ROLE readers;\n", ""), "readers"),
    "a grant that is missing": (edited("GRANT readers TO clerk", "-- "), "membership clerk in"),
    "a limit that is lost": (edited("CONNECTION LIMIT 3", ""), "role clerk"),
    "a password that does not parse": (edited("SCRAM-SHA-256$", "'"), "roles.sql"),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_what_all_databases_share_and_is_lost_is_named(stanza, snapshot, loss):
    """F2 of the failures: an error is not passed over; no secret is told."""
    change, named = LOSSES[loss]
    found = spoiled(stanza, snapshot, "roles.sql", change)
    assert named in found
    assert "SCRAM" not in found


def test_a_dump_that_is_cut_short_is_found(stanza, snapshot):
    """F1 and F2: a truncated dump is no dump."""
    hl7 = snapshot.dumps[0].object
    found = spoiled(stanza, snapshot, hl7, lambda path: os.truncate(path, path.stat().st_size // 2))
    assert found.startswith("boot: ")
    found = spoiled(stanza, snapshot, hl7, lambda path: os.truncate(path, 100))
    assert "the head of a dump ends too early" in found
    found = spoiled(stanza, snapshot, hl7, lambda path: os.truncate(path, 0))
    assert "the head of a dump ends too early" in found


def redumped(stanza, *how):
    """Return what replaces a dump by one that was made otherwise."""

    def change(path):
        with programs.service_file(stanza.server()) as env:
            data = subprocess.run(
                [stanza.programs / "pg_dump", "-Fc", "--create", *how],
                env={**os.environ, **env},
                check=True,
                capture_output=True,
            ).stdout
        path.write_bytes(data)

    return change


LESS = "a dump does not hold what was sealed; seen:"

OTHERWISE = {
    "without a table": (["--exclude-table=fruit"], f"{LESS}.*hl7.public.fruit"),
    "without its rows": (["--exclude-table-data=fruit"], f"{LESS} hl7.public.fruit"),
    "without large objects": (["--no-large-objects"], f"{LESS} hl7.large objects"),
    "without grants": (["--no-privileges"], f"{LESS} .*hl7: acl table public.fruit"),
    "without its extension": (["--exclude-extension=pg_trgm"], "hl7: extension pg_trgm"),
    "without comments": (["--no-comments"], "hl7: comment table public.fruit"),
    "later rows": ([], "hl7.public.fruit"),
}


@pytest.mark.parametrize("otherwise", OTHERWISE)
def test_a_dump_that_holds_less_is_found_and_named(stanza, snapshot, otherwise):
    """F3 of the failures: what is missing is held against the source, not against the file."""
    how, named = OTHERWISE[otherwise]
    with stanza.server().connect() as connection:
        connection.execute("update fruit set name = name || '!' where id = 7")
    found = spoiled(stanza, snapshot, snapshot.dumps[0].object, redumped(stanza, *how))
    assert re.search(named, found), found
    assert "!" not in found


def test_rows_that_are_hidden_from_the_dump_fail_it(stanza):
    """F3: a role that may not see all rows gets an error, not a smaller dump."""
    with stanza.server().connect() as connection:
        connection.execute("create role auditor login in role pg_read_all_data, pg_monitor")
    address = stanza.server().address.replace("user=postgres", "user=auditor")
    with pytest.raises(OpsError, match=r"row-level security|permission denied|pg_dumpall failed"):
        shooting(stanza, address).run(lambda *_: None)
    discard_leftovers(stanza)


def test_what_ends_the_snapshot_is_told_not_what_it_did_to_the_dumps(stanza, monkeypatch):
    """When the rows cannot be measured, the dumps fail too: the first is the cause."""
    monkeypatch.setattr(table_digest, "digest", interrupted)
    with pytest.raises(Transient, match="the connection was lost"):
        shooting(stanza, stanza.server().address).run(lambda *_: None)
    discard_leftovers(stanza)


def interrupted(connection, *_):
    """End the snapshot, as a digest that fails does."""
    connection.close()
    raise Transient("the connection was lost", do="try again")


def shooting(stanza, address):
    """Return a snapshot that is about to be taken of the server at an address."""
    now = take.clock.now()
    name = take._name(stanza, "snapshot", now)  # noqa: SLF001
    return take.Snapshot(stanza, stanza.server().__class__("main", address), name, now)


def discard_leftovers(stanza):
    """Remove what a snapshot that failed left."""
    for left in stanza.catalogue.leftovers():
        stanza.catalogue.discard(left)


def test_programs_that_are_older_than_the_server_are_refused(stanza, tmp_path):
    """F1 of the failures: a dump by an older program is none."""
    for each in (tmp_path, *tmp_path.parents[:3]):
        each.chmod(each.stat().st_mode | 0o055)
    for program in stanza.programs.iterdir():
        (tmp_path / program.name).symlink_to(program)
    (tmp_path / "pg_dump").unlink()
    (tmp_path / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 15.4'\n")
    (tmp_path / "pg_dump").chmod(0o755)
    other = open_stanza(stanza.settings.model_copy(update={"hl7ops_programs": tmp_path}))
    known = [entry.id for entry in stanza.catalogue.entries()]
    with pytest.raises(Refused, match="older than the server; seen: PostgreSQL 15"):
        take.take(other, "snapshot")
    assert [entry.id for entry in stanza.catalogue.entries()] == known


@pytest.mark.parametrize("size", [0, 100, 1_000_000])
def test_a_dump_that_fails_half_way_is_no_backup(stanza, tmp_path, size):
    """F1: the program's exit code counts, not the size of what it wrote; and it says why."""
    for each in (tmp_path, *tmp_path.parents[:3]):
        each.chmod(each.stat().st_mode | 0o055)
    for program in stanza.programs.iterdir():
        (tmp_path / program.name).symlink_to(program)
    (tmp_path / "pg_dump").unlink()
    (tmp_path / "pg_dump").write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 18.1" && exit\n'
        f'{stanza.programs}/pg_dump "$@" | head -c {size}\n'
        "echo 'pg_dump: error: lost' >&2; exit 1\n"
    )
    (tmp_path / "pg_dump").chmod(0o755)
    other = open_stanza(stanza.settings.model_copy(update={"hl7ops_programs": tmp_path}))
    with pytest.raises(OpsError, match="pg_dump failed; seen: exit 1: pg_dump: error: lost"):
        take.take(other, "snapshot")
    assert other.catalogue.leftovers() == []


def test_nothing_is_built_on_a_snapshot(stanza, snapshot):
    """An increment needs a full backup."""
    with pytest.raises(Refused, match="there is no backup that an incremental"):
        take.take(stanza, "incremental")


def test_a_snapshot_that_was_damaged_is_named(stanza, snapshot):
    """Each object against its hash, before anything is loaded."""
    place = stanza.catalogue.storage.root / stanza.catalogue.prefix(snapshot.id)
    path = place / snapshot.dumps[0].object
    data = path.read_bytes()
    path.write_bytes(data[:50] + bytes([data[50] ^ 1]) + data[51:])
    proof = verify(stanza, snapshot.id)
    assert [check.tier for check in proof.failed] == ["objects"]
    assert snapshot.dumps[0].object in proof.failed[0].seen
    path.write_bytes(data)
    with pytest.raises(Corrupt, match="not proven"):
        proof.require()


def test_what_cannot_be_loaded_is_named_and_leaves_the_rest(stanza):
    """An index whose function finds its table only by a search path: the dump has all of it."""
    run(
        stanza,
        "create function price(int) returns int immutable language plpgsql as"
        " 'begin return (select max(n) from prices where n < $1); end'",
        "create table prices (n int)",
        "create index dear on prices (price(n))",
        "insert into prices values (1), (2)",
    )
    try:
        made = take.take(stanza, "snapshot")
    finally:
        run(stanza, "drop table prices", "drop function price")
    proof = verify(stanza, made.id)
    assert proof.failed == []
    assert proof.verdict == "partial"
    told = {check.tier: check.seen for check in proof.checks if check.outcome == "partial"}
    assert set(told) == {"boot", "contents"}
    assert "dear" in told["boot"]
    assert told["contents"] == "hl7: index public.dear"


def run(stanza, *statements):
    """Run statements, one after the other."""
    with stanza.server().connect() as connection:
        connection.execute("set check_function_bodies = off")
        for statement in statements:
            connection.execute(statement)


def test_a_table_that_is_emptied_before_it_is_dumped_is_dumped_anew(stanza, monkeypatch):
    """An old snapshot would show it empty, and so would the dump."""
    run(stanza, "create table moving as select generate_series(1, 100) as n")
    real, done = DatabaseDump._dumped, []  # noqa: SLF001

    def late(self, young, *, insists):
        if self.name == "hl7" and not done:
            done.append(self.name)
            self._tables()
            run(stanza, "truncate moving", "insert into moving values (1)")
        return real(self, young, insists=insists)

    monkeypatch.setattr(DatabaseDump, "_dumped", late)
    run(stanza, "refresh materialized view counted")
    made = take.take(stanza, "snapshot")
    run(stanza, "drop table moving")
    rows = {each.table: each.rows for each in stanza.catalogue.fingerprint(made).tables}
    assert rows["public.moving"] == 1
    assert stanza.catalogue.fingerprint(made).omitted == []
    assert unproven(verify(stanza, made.id)) == []


def test_a_table_that_is_emptied_all_the_time_is_named(stanza, monkeypatch):
    """The backup is taken; of that table nothing is told."""
    run(stanza, "create table moving as select generate_series(1, 100) as n")
    real = DatabaseDump._dumped  # noqa: SLF001

    def late(self, young, *, insists):
        if self.name == "hl7":
            self._tables()
            run(stanza, "truncate moving", "insert into moving values (1)")
        return real(self, young, insists=insists)

    monkeypatch.setattr(DatabaseDump, "_dumped", late)
    made = take.take(stanza, "snapshot")
    run(stanza, "drop table moving")
    (named,) = stanza.catalogue.fingerprint(made).omitted
    assert (named.subject, named.reason) == ("hl7.public.moving", EMPTIED)
    proof = verify(stanza, made.id)
    assert proof.failed == []
    assert proof.verdict == "partial"


def test_a_dump_that_would_take_the_locks_of_users_is_refused(stanza, monkeypatch):
    """It locks all tables at once; it says what to do, and nothing of it is kept."""
    monkeypatch.setattr(capacity, "all_locks", lambda _connection: 3)
    before = stanza.catalogue.backups()
    with pytest.raises(Refused, match="raise max_locks_per_transaction, or take full backups"):
        take.take(stanza, "snapshot")
    assert stanza.catalogue.backups() == before
