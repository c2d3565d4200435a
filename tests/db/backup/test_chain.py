"""Chains: what changed is taken, the whole is proven, and no link can be taken for another."""

import json
import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from tasks.backup import parent, take, wal
from tasks.backup.cleanup import cleanup
from tasks.control import clock, settings
from tasks.control.errors import Refused
from tasks.postgres.server import Identity
from tasks.recovery.proving.verify import verify
from tasks.repository.chain import chain_to
from tasks.repository.pins import Pin
from tasks.repository.proof import Check, Proof
from tasks.repository.stanza import open_stanza


@pytest.fixture
def fresh():
    """Open a stanza without a backup, with a table and a tablespace."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-chain-"))
    home.chmod(0o755)
    opened = open_stanza(settings.load(hl7ops_home=home))
    place = home / "space"
    place.mkdir()
    opened.home.owner.take(place)
    run(
        opened,
        f"create tablespace elsewhere location '{place}'",
        "create table kept as select n, repeat('x', 100) as pad from generate_series(1, 20000) n",
        "create index on kept (n)",
    )
    yield opened
    opened.home.primary.stop("immediate")
    shutil.rmtree(home)


def run(stanza, *statements):
    """Run statements, one after the other."""
    with stanza.server().connect() as connection:
        for statement in statements:
            connection.execute(statement)


def ids(chain):
    """Return the ids of a chain's links."""
    return [link.id for link in chain]


HISTORY = {
    "grown": ["insert into kept select n, 'new' from generate_series(20001, 60000) n"],
    "shrunk": ["delete from kept where n > 30000", "vacuum kept"],
    "rewritten": ["vacuum full kept", "create table ghost as select 1 as n"],
    "a ghost": [
        "drop table ghost",
        "create table ghost as select n::text from generate_series(1, 9) n",
    ],
    "emptied and moved": [
        "truncate ghost",
        "alter table kept set tablespace elsewhere",
        "create unlogged table gone (n int)",
        "insert into gone values (1)",
    ],
    "a database more": [
        "create database other",
        "alter table kept set tablespace pg_default",
        "select lo_create(4711)",
        "create sequence counting",
        "select nextval('counting')",
    ],
    "a database less": ["drop database other", "reindex table kept", "select lo_unlink(4711)"],
}


def test_a_chain_of_eight_equals_its_source_at_every_link(fresh):
    """Whatever happened between two links: F15 and F16 of the failures that others met.

    Scenario 12: WAL-G's ghost table, dropped and made anew between two links.
    """
    made = [take.take(fresh)]
    for statements in HISTORY.values():
        run(fresh, *statements)
        made.append(take.take(fresh, "incremental"))
    assert ids(chain_to(fresh.catalogue, made[-1])) == ids(made)
    for link in (made[2], made[4], made[5], made[-1]):
        proof = verify(fresh, link.id)
        assert proof.verdict == "proven", proof.failed


def test_a_differential_is_built_on_the_last_full_one(fresh):
    """Whatever was taken in between; an incremental one is built on the newest."""
    full = take.take(fresh)
    take.take(fresh, "incremental")
    run(fresh, "update kept set pad = 'y' where n < 100")
    differential = take.take(fresh, "differential")
    assert differential.parent == full.id
    assert differential.bytes_stored < full.bytes_stored / 4
    assert take.take(fresh, "incremental").parent == differential.id
    assert verify(fresh, "latest").verdict == "proven"


def test_without_a_full_backup_nothing_can_be_built(fresh):
    """The first one must be full."""
    for kind in ("incremental", "differential"):
        with pytest.raises(Refused, match=f"no backup that an? {kind} one could .* backup full"):
            take.take(fresh, kind)
    assert fresh.catalogue.leftovers() == []


def test_a_server_that_does_not_summarize_is_refused_with_the_setting(fresh):
    """And so is one that is too old."""
    take.take(fresh)
    run(fresh, "alter system set summarize_wal = off", "select pg_reload_conf()")
    with pytest.raises(Refused, match=r"summarize_wal = off.*alter system set summarize_wal = on"):
        take.take(fresh, "incremental")
    old = Identity("7", 160004, "", "postgres")
    with pytest.raises(Refused, match=r"PostgreSQL 16; expected: 17 or later; .*upgrade"):
        parent.find(fresh, fresh.server(), old, "incremental")


def test_summaries_that_are_gone_are_told_and_a_full_backup_offered(fresh):
    """The server has forgotten what changed since the parent."""
    take.take(fresh)
    run(fresh, "alter system set summarize_wal = off", "select pg_reload_conf()")
    run(fresh, "update kept set pad = 'z'")
    wal.pull(fresh, fresh.server())
    run(fresh, "checkpoint")
    for path in (fresh.home.primary.data / "pg_wal" / "summaries").glob("*.summary"):
        path.unlink()
    run(fresh, "alter system set summarize_wal = on", "select pg_reload_conf()")
    known = [entry.id for entry in fresh.catalogue.entries()]
    with pytest.raises(Refused, match=r"WAL summar.*hl7ops backup full, and raise wal_summary_"):
        take.take(fresh, "incremental")
    assert [entry.id for entry in fresh.catalogue.entries()] == known
    assert fresh.catalogue.leftovers() == []
    assert take.take(fresh).type == "full"


def test_what_is_built_on_a_failed_or_broken_full_one_is_not_built_on(fresh):
    """Whatever its own last proof says: a chain is as good as its worst link."""
    full = take.take(fresh)
    take.take(fresh, "incremental")
    now = clock.now()
    failed = Proof(full.id, "main", now, now, [Check("objects", "looked at", "fail")])
    fresh.catalogue.record(failed)
    with pytest.raises(Refused, match="hl7ops backup full"):
        take.take(fresh, "incremental")
    whole = take.take(fresh)
    last = take.take(fresh, "incremental")
    place = fresh.catalogue.storage.root / fresh.catalogue.prefix(whole.id) / "base.tar.zst"
    place.rename(place.with_suffix(".away"))
    with pytest.raises(Refused, match="hl7ops backup full"):
        take.take(fresh, "incremental")
    place.with_suffix(".away").rename(place)
    assert take.take(fresh, "incremental").parent == last.id


def test_a_parent_that_failed_its_proof_is_not_built_on(fresh):
    """Nor is one whose chain is broken; the newest sound one is."""
    full = take.take(fresh)
    bad = take.take(fresh, "incremental")
    now = clock.now()
    failed = Proof(bad.id, "main", now, now, [Check("objects", "looked at", "fail")])
    fresh.catalogue.record(failed)
    assert take.take(fresh, "incremental").parent == full.id


@pytest.fixture
def three(fresh):
    """Take a chain of three."""
    made = [take.take(fresh)]
    for n in (1, 2):
        run(fresh, f"update kept set pad = '{n}' where n % 50 = {n}")
        made.append(take.take(fresh, "incremental"))
    return made


def path_of(stanza, backup, name=""):
    """Return where something of a backup lies."""
    return stanza.catalogue.storage.root / stanza.catalogue.prefix(backup.id) / name


def forget(stanza, backups):
    """Remove a backup with its directory."""
    shutil.rmtree(path_of(stanza, backups[1]))


def replace(stanza, backups):
    """Put another backup, which we signed, in the place of a parent."""
    other = take.take(stanza, "differential")
    shutil.rmtree(path_of(stanza, backups[1]))
    path_of(stanza, other).rename(path_of(stanza, backups[1]))
    resign(stanza, backups[1], id=backups[1].id)


def resign(stanza, backup, **changes):
    """Change a document and sign it again, as somebody with our key could."""
    path = path_of(stanza, backup, "backup.json")
    document = json.loads(path.read_bytes())["document"] | changes
    path.write_bytes(stanza.catalogue.keyring.sign(document))


def circle(stanza, backups):
    """Let a chain bite its own tail."""
    last = backups[2]
    resign(stanza, backups[1], parent=last.id, parent_manifest=last.manifest.sha256)


def reorder(stanza, backups):
    """Let the last one be built on the first."""
    first = backups[0]
    resign(stanza, backups[2], parent=first.id, parent_manifest=first.manifest.sha256)


def behead(stanza, backups):
    """Let an increment say that it is the beginning."""
    resign(stanza, backups[1], parent=None, parent_manifest=None)


def cut(stanza, backups):
    """Cut off the data of a parent."""
    os.truncate(path_of(stanza, backups[1], "base.tar.zst"), 1000)


def flip(stanza, backups):
    """Change one bit of the full backup."""
    path = path_of(stanza, backups[0], "base.tar.zst")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def edit(stanza, backups):
    """Edit a parent's document without the key."""
    path = path_of(stanza, backups[1], "backup.json")
    path.write_bytes(path.read_bytes().replace(b'"timeline": 1', b'"timeline": 2'))


DAMAGES = {
    forget: "there is no such backup; seen: {1}",
    replace: "another backup stands in the place of {1}",
    circle: "a chain without a beginning|another backup stands in the place",
    reorder: "the chain cannot be put together; .*expected",
    behead: "the chain of backup .*{1} has no parent",
    cut: "an object .*base.tar.zst",
    flip: "an object .*base.tar.zst",
    edit: "a document was edited; seen: .*{1}/backup.json",
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_chain_is_found_and_named(fresh, three, damage):
    """Verifying its last link fails, with what is wrong and where (scenario 5)."""
    damage(fresh, three)
    proof = verify(fresh, three[2].id)
    assert proof.verdict == "failed"
    (check,) = proof.failed
    assert re.search(DAMAGES[damage].format(*ids(three)), check.seen), check.seen


def test_cleanup_keeps_what_a_kept_one_is_built_on(fresh, three):
    """A pinned increment keeps its whole chain; without it the chain goes, the last link first."""
    take.take(fresh)
    verify(fresh, take.take(fresh).id)
    later = clock.now().replace(year=clock.now().year + 1)
    fresh.catalogue.pin(Pin(three[2].id, "audit", clock.now()))
    kept = cleanup(fresh, now=later).plan.keep
    assert set(ids(three)) <= set(kept)
    fresh.catalogue.pins.remove(three[2].id)
    dry = cleanup(fresh, now=later, dry_run=True)
    assert dry.plan.drop == ids(reversed(three))
    assert cleanup(fresh, now=later).plan == dry.plan
    assert not set(ids(three)) & {entry.id for entry in fresh.catalogue.entries()}
