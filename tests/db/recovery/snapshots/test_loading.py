"""Snapshots, and parts of them, loaded into a cluster that lasts, and held against their seal."""

import re

import pytest

from tasks.backup.take import take
from tasks.control import clock
from tasks.control.errors import Corrupt, Refused
from tasks.recovery.copies import load
from tasks.recovery.proving.verify import verify
from tasks.recovery.restoring import restored
from tasks.recovery.snapshots import loading
from tasks.repository.proof import TIERS, Check, Proof


def ask(done, query, database="hl7"):
    """Return the one value of a query to a copy."""
    with done.server.database(database).connect() as connection:
        return connection.execute(query.encode()).fetchone()[0]


def test_all_of_a_snapshot_is_loaded(place):
    """With roles, grants, settings, sequences, large objects; into tablespaces of its own."""
    done = place.load()
    assert ask(done, "select count(*) from fruit") == 500
    assert ask(done, "select count(*) from mine", "other") == 7
    assert ask(done, "select convert_from(lo_get(4711), 'utf8')") == "a large object"
    assert ask(done, "select pg_has_role('clerk', 'readers', 'member')")
    assert ask(done, "select has_table_privilege('readers', 'fruit', 'select')")
    assert ask(done, "select setconfig[1] from pg_db_role_setting where setrole = 0") == (
        "statement_timeout=1h"
    )
    assert ask(done, "select nextval('counter')") == 51
    where = ask(
        done, "select pg_tablespace_location(oid) from pg_tablespace where spcname = 'elsewhere'"
    )
    assert [where] == list(done.tablespaces)
    assert done.path in where
    assert done.is_promoted
    assert not done.differences
    with done.server.database("hl7").connect() as connection:
        connection.execute("insert into fruit (kind, name) values (1, 'new')")
    restored.stop(restored.find(place.path))


def test_one_database_is_loaded_and_no_other(place):
    """The others are not there, and nobody asks for them."""
    done = place.load(["other"])
    assert ask(done, "select count(*) from mine", "other") == 7
    assert ask(done, "select count(*) from pg_database where datname = 'hl7'", "other") == 0
    assert not done.left_out


def test_a_table_comes_with_all_that_it_needs(place):
    """Rows, sequence, index, extension, trigger and grants; what it refers to does not."""
    done = place.load([], ["hl7.public.fruit"])
    assert ask(done, "select count(*) from fruit") == 500
    assert ask(done, "insert into fruit (name) values ('n501') returning id") == 501
    assert ask(done, "select count(*) from pg_indexes where indexname = 'by_name'") == 1
    assert ask(done, "select count(*) from pg_trigger where tgname = 'tells'") == 1
    assert ask(done, "select has_table_privilege('readers', 'fruit', 'select')")
    assert ask(done, "select to_regclass('kinds') is null")
    assert list(done.left_out) == [
        "hl7: VIEW public seen",
        "hl7: FK CONSTRAINT public fruit fruit_kind_fkey",
        "hl7: large objects",
    ]


def test_tables_that_refer_to_each_other_come_with_their_key(place):
    """Where both are wanted."""
    done = place.load([], ["hl7.public.fruit", "hl7.public.kinds"])
    assert ask(done, "select count(*) from pg_constraint where contype = 'f'") == 1
    assert ask(done, "select count(*) from fruit join kinds on kinds.id = kind") == 500


def test_a_partitioned_table_brings_its_partitions(place):
    """And their rows."""
    done = place.load([], ["hl7.public.log"])
    assert ask(done, "select count(*) from log") == 3


def test_a_partition_comes_alone(place):
    """With the definition of what it is one of; a name with dots and spaces stands in quotes."""
    done = place.load(["other"], ["hl7.public.log_new", 'hl7."My.Schema".a b'])
    assert ask(done, "select count(*) from log") == 2
    assert ask(done, 'select count(*) from "My.Schema"."a b"') == 1
    assert ask(done, "select to_regclass('log_old') is null")
    assert ask(done, "select count(*) from mine", "other") == 7


@pytest.mark.parametrize("kind", ["full", "snapshot"])
def test_a_backup_with_odd_things_in_it_is_proven(scene, kind):
    """An owner's name with a space, no columns, inheritance, a database that nobody may enter."""
    proof = verify(scene.stanza, take(scene.stanza, kind).id)
    assert proof.failed == []
    (told,) = [check.seen for check in proof.checks if check.outcome == "partial"]
    assert re.fullmatch(r"database \w+ \(it takes no connections\)", told)


def test_a_parent_comes_with_its_own_rows(place):
    """Those of its children are theirs."""
    done = place.load([], ["hl7.public.parent", "hl7.public.bare"])
    assert ask(done, "select count(*) from parent") == 1
    assert ask(done, "select to_regclass('child') is null")


def prove(place, tier):
    """Record a proof of the snapshot in which a tier failed; return where it lies."""
    catalogue, at = place.stanza.catalogue, clock.now()
    checks = [Check(each, "looked at", "fail" if each == tier else "pass") for each in TIERS]
    catalogue.record(Proof(place.snapshot.id, "main", at, at, checks))
    return max(name for name, _ in catalogue.objects(place.snapshot.id) if "/proofs/" in name)


def test_a_snapshot_whose_bytes_failed_is_refused(place):
    """Unless somebody wants it all the same."""
    name = prove(place, "boot")
    with pytest.raises(Refused, match=r"bytes .* failed its last proof; .*--accept-differences"):
        place.load()
    assert not place.load(["other"], accepted=True).differences
    place.stanza.catalogue.storage.delete(name)


def test_a_snapshot_that_differed_is_loaded_with_a_warning(place):
    """What was found in comparing bars nothing."""
    name = prove(place, "contents")
    assert "differs from its seal" in place.load(["other"]).warnings[0]
    place.stanza.catalogue.storage.delete(name)


MISHAPS = {
    "drop index by_name": "by_name",
    "revoke select on fruit from readers": "acl table public.fruit",
    "revoke readers from clerk": "clerk in readers",
    "alter role clerk reset work_mem": "setting clerk",
    "alter database hl7 reset statement_timeout": "database properties hl7",
    "select setval('fruit_id_seq', 3)": "fruit_id_seq",
    "delete from fruit where id = 7": "public.fruit",
    "update fruit set name = 'other' where id = 7": "public.fruit",
    "alter table fruit disable trigger tells": "trigger public.fruit tells",
    "drop trigger tells on fruit": "trigger public.fruit tells",
    "alter table fruit drop constraint fruit_pkey": "fruit_pkey",
    "alter role clerk nologin": "role clerk",
}


@pytest.mark.parametrize("mishap", MISHAPS)
@pytest.mark.parametrize("tables", [(), ("hl7.public.fruit",)], ids=["whole", "table"])
def test_what_differs_is_named_and_fails(place, monkeypatch, mishap, tables):
    """Whatever it is, in a whole database and in a table of one; nothing is put in place."""
    spoil(monkeypatch, mishap)
    with pytest.raises(Corrupt, match="not what was sealed") as raised:
        place.load(() if tables else ["hl7"], tables)
    assert MISHAPS[mishap] in str(raised.value)
    assert list(place.folder.iterdir()) == []


@pytest.mark.parametrize("mishap", ["select lo_unlink(4711)", "drop extension pg_trgm cascade"])
def test_what_only_a_database_has_is_compared_with_it(place, monkeypatch, mishap):
    """Large objects and extensions."""
    spoil(monkeypatch, mishap)
    with pytest.raises(Corrupt, match=r"large objects|extension pg_trgm"):
        place.load(["hl7"])


def test_a_difference_that_is_accepted_stays_on_record(place, monkeypatch):
    """The copy is put in place, and says in what it differs."""
    spoil(monkeypatch, "drop index by_name")
    done = place.load(["hl7"], accepted=True)
    assert "by_name" in restored.find(place.path).differences[0]
    assert ask(done, "select count(*) from fruit") == 500


def spoil(monkeypatch, mishap):
    """Let something happen to a copy between loading and comparing."""
    whole = load.load

    def spoiled(backup, copy, *more, **how):
        problems = whole(backup, copy, *more, **how)
        server = copy.cluster.server(backup.stanza, "hl7", backup.maker)
        with server.connect() as connection:
            connection.execute(mishap.encode())
        return problems

    monkeypatch.setattr(load, "load", spoiled)


def test_an_object_that_cannot_be_loaded_is_named(place, monkeypatch):
    """Here for want of the role that owns it: F18 of the failures."""
    nothing = place.folder / "nothing.sql"
    nothing.touch()
    monkeypatch.setattr(load, "_roles", lambda *_: nothing)
    with pytest.raises(Corrupt, match=r'not what was sealed; .*role "clerk" does not exist'):
        place.load(["other"])
    assert list(place.folder.iterdir()) == [nothing]


@pytest.mark.parametrize(
    ("databases", "tables", "expected"),
    [
        (["hl8"], [], "hl7"),
        ([], ["hl7.public.seen"], "does not hold that; seen: hl7.public.seen"),
        ([], ["hl7.public.fruits"], "hl7.public.fruit"),
    ],
)
def test_what_is_not_there_is_refused(place, databases, tables, expected):
    """With what is there instead."""
    with pytest.raises(Refused, match=expected):
        place.load(databases, tables)
    assert list(place.folder.iterdir()) == []


def test_a_directory_of_somebody_else_is_left_alone(place):
    """As with any restore."""
    place.path.mkdir()
    (place.path / "mine").write_text("kept")
    with pytest.raises(Refused, match="no database cluster's"):
        place.load()
    assert (place.path / "mine").read_text() == "kept"


POINTS = ["dumps.fetch", "load.load", "Work.note", "Work.put_in_place", "Restored.keep"]


@pytest.mark.parametrize("point", POINTS)
def test_a_run_that_ends_goes_on(place, monkeypatch, point):
    """Wherever it ends; what was there is kept, and comes back."""
    (place.path / "PG_VERSION").parent.mkdir()
    (place.path / "PG_VERSION").write_text("18\n")
    owner, name = point.split(".")
    with monkeypatch.context() as patch:
        patch.setattr(getattr(loading, owner), name, once_more_then_end())
        with pytest.raises(KeyboardInterrupt):
            place.load(["other"], replace=True)
    done = place.load(["other"], replace=True)
    assert ask(done, "select count(*) from mine", "other") == 7
    assert {path.name for path in place.folder.iterdir()} >= {"copy", "copy.restored"}
    restored.undo(done)
    assert (place.path / "PG_VERSION").read_text() == "18\n"


def once_more_then_end():
    """Return what ends a run when it is called."""

    def end(*_, **__):
        raise KeyboardInterrupt

    return end
