"""Seals of large clusters: at a rate, within a time, on a standby; and honest about it."""

import shutil
import time

import pytest
from pydantic import SecretStr

from tasks.backup import consistent_snapshot, digest_reader, seal, seal_options, take
from tasks.backup.digest_reader import LATE
from tasks.backup.seal_options import SealOptions
from tasks.control.errors import Refused
from tasks.postgres import programs, table_digest
from tasks.postgres.cluster import Cluster
from tasks.recovery.proving.verify import verify
from tasks.repository.model import BackupId
from tasks.repository.pace import Pace
from tasks.repository.stanza import open_stanza


NAME = BackupId("full-20261124T000000Z")


@pytest.fixture(autouse=True)
def small_portions(monkeypatch):
    """Read a block at a time."""
    monkeypatch.setattr(digest_reader, "PORTION_BLOCKS", 1)


def digests(measured):
    """Return what was measured of each table."""
    return {table.name: (table.rows, table.digest, table.newest) for table in measured.tables}


def sealed(stanza, **options):
    """Seal a stanza's cluster."""
    return seal.take(stanza.server(), stanza.programs, NAME, SealOptions(**options))


def missing(measured):
    """Return the tables for which there was no time."""
    return [each.subject for each in measured.omitted if each.reason == LATE]


def test_portions_together_are_the_whole(stanza):
    """Rows, digest and newest timestamp, whatever the size of a portion."""
    with stanza.server().connect() as connection:
        connection.execute(
            "create table timed as select n, now() + n * interval '1 d' as at,"
            " repeat('x', 200) as pad from generate_series(1, 2000) n"
        )
        connection.execute("delete from timed where n between 500 and 900")
    _, whole = sealed(stanza)
    _, parts = sealed(stanza, seconds=1000)
    assert digests(whole) == digests(parts)
    assert digests(whole)["hl7.public.timed"][0] == 1599


def test_a_rate_is_kept(stanza):
    """In bytes a second, over all tables."""
    began = time.monotonic()
    made, measured = sealed(stanza, bytes_a_second=200_000)
    took = time.monotonic() - began
    with stanza.server().connect() as connection:
        (size,) = connection.execute(
            "select sum(pg_relation_size(oid)) from pg_class where relnamespace ="
            " 'public'::regnamespace and relkind = 'r'"
        ).fetchone()
    assert took > 0.9 * float(size) / 200_000
    assert not made.is_partial
    assert missing(measured) == []


def test_what_there_was_no_time_for_is_not_called_proven(stanza):
    """The seal is partial, the proof names the tables, and the next seal begins with those."""
    hurried = open_stanza(stanza.settings.model_copy(update={"seal_budget_seconds": 1}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pace, "is_over", property(lambda self: self.read > 8192))
        made = take.take(hurried)
    measured = stanza.catalogue.fingerprint(made)
    assert made.seal.is_partial
    assert made.seal.skipped == len(missing(measured)) > 0
    proof = verify(stanza, made.id)
    assert proof.verdict == "partial"
    proof.require()
    said = next(check for check in proof.checks if check.outcome == "partial")
    assert missing(measured)[0] in said.seen
    first = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pace, "is_over", property(lambda self: self.read > 8192))
        real = table_digest.digest

        def digest(connection, table, **rest):
            first.append(f"hl7.{table.full_name}")
            return real(connection, table, **rest)

        patch.setattr(table_digest, "digest", digest)
        take.take(hurried)
    assert first[0] in missing(measured)


def test_a_table_that_was_not_sealed_and_is_gone_is_missed(stanza):
    """Its contents are not known, but that it was there is."""
    hurried = open_stanza(stanza.settings.model_copy(update={"seal_budget_seconds": 1}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pace, "is_over", property(lambda _self: True))
        made = take.take(hurried)

    def meddle(server):
        with server.database("hl7").connect() as connection:
            connection.execute("drop table counted")

    proof = verify(stanza, made.id, meddle=meddle)
    assert proof.verdict == "failed"
    assert any("hl7: table public.counted" in check.seen for check in proof.failed)


@pytest.fixture
def standby(stanza):
    """Run a standby of the stanza's cluster."""
    home, primary = stanza.home, stanza.home.primary
    data = home.path / "standby"
    data.mkdir(mode=0o700)
    home.owner.take(data)
    programs.run(
        home.programs,
        "pg_basebackup",
        ["-d", primary.server("main").address, "-D", data, "-R", "-c", "fast", "-X", "stream"],
        timeout_s=60,
        owner=home.owner,
    )
    cluster = Cluster(data, primary.sockets, 5444, home.programs)
    cluster.start()
    yield cluster
    cluster.stop("immediate")
    shutil.rmtree(data)


def on_standby(stanza, standby):
    """Open the stanza with digests computed on a standby."""
    address = SecretStr(standby.server("main", "hl7").address)
    return open_stanza(
        stanza.settings.model_copy(update={"digest_on": "standby", "standby_url": address})
    )


def test_digests_can_be_computed_on_a_standby(stanza, standby):
    """What it shows at the restore point is what the primary held; the copy equals it."""
    made = take.take(on_standby(stanza, standby))
    assert (made.seal.mode, made.seal.digested_on) == ("locked", "standby")
    assert verify(stanza, made.id).verdict == "proven"


def test_a_standby_that_does_not_follow_leaves_it_to_the_primary(stanza, standby, monkeypatch):
    """No writer waits for it."""
    monkeypatch.setattr(consistent_snapshot, "ATTEMPTS", 2)
    monkeypatch.setattr(seal, "PAUSE_S", 0)
    with standby.server("main").connect() as connection:
        connection.execute("select pg_wal_replay_pause()")
    with stanza.server().connect() as connection:
        connection.execute("insert into counted (n) values (1)")
    server = on_standby(stanza, standby)
    made, _ = sealed(server, attempts=2, standby=standby.server("main", "hl7"))
    assert (made.mode, made.digested_on) == ("locked", "primary")
    assert "-02-locked" in made.restore_point


def test_a_standby_that_is_not_named_is_told(stanza):
    """With the setting to set; the backup itself is kept, and not called proven."""
    unnamed = open_stanza(stanza.settings.model_copy(update={"digest_on": "standby"}))
    with pytest.raises(Refused, match=r"none is named; .*next: set STANDBY_URL"):
        seal_options.options_of(unnamed, unnamed.server())
    made = take.take(unnamed)
    assert made.seal.mode == "none"
    assert "set STANDBY_URL" in made.seal.problem
    assert verify(stanza, made.id).verdict == "partial"
