"""How deep a backup is proven, how much of it is compared a day, and any copy against a seal."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tasks.backup import take
from tasks.control import settings
from tasks.control.errors import Corrupt, Refused
from tasks.recovery.planning.target import parse
from tasks.recovery.proving.copy_comparison import compare, require_equal
from tasks.recovery.proving.verify import verify
from tasks.recovery.restoring import restored
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.restore import restore
from tasks.repository.stanza import open_stanza


TABLES = 12


@pytest.fixture(scope="module")
def home():
    """Make a home whose platform has a dozen tables."""
    path = Path(tempfile.mkdtemp(prefix="hl7ops-depth-"))
    path.chmod(0o755)
    opened = open_stanza(settings.load(hl7ops_home=path))
    with opened.server().connect() as connection:
        for number in range(TABLES):
            connection.execute(f"create table t{number} as select {number} as n")
        connection.execute("create unlogged table passing as select 1 as n")
    yield path
    opened.home.primary.stop("immediate")
    shutil.rmtree(path)


def at(home, **more):
    """Open the stanza with some settings."""
    return open_stanza(settings.load(hl7ops_home=home, **more))


@pytest.fixture(scope="module")
def backup(home):
    """Take a backup of it."""
    return take.take(at(home))


@pytest.mark.parametrize(
    ("depth", "ran"),
    [
        ("objects", {"objects", "manifest"}),
        ("boot", {"objects", "manifest", "boot"}),
        ("structure", {"objects", "manifest", "boot", "structure"}),
    ],
)
def test_a_shallow_proof_is_partial_and_says_how_deep_it_went(home, backup, depth, ran):
    """What was not looked at is never called proven."""
    proof = verify(at(home, proof_full=depth), backup.id)
    assert (proof.verdict, proof.depth) == ("partial", depth)
    assert {check.tier for check in proof.checks} == ran


def test_a_proof_is_as_deep_as_its_caller_wants(home, backup):
    """The settings are a default."""
    assert verify(at(home, proof_full="objects"), backup.id, depth="contents").verdict == "proven"


def test_every_table_is_compared_once_in_a_cycle_and_the_others_are_counted(home, monkeypatch):
    """A day's proof is partial; after all of them no table is left."""
    from datetime import UTC, datetime, timedelta

    from tasks.control import clock

    compared, today = [], datetime.now(UTC)
    stanza = at(home, proof_cycle_days=2)
    for day in range(2):
        monkeypatch.setattr(clock, "now", lambda day=day: today + timedelta(days=day))
        made = take.take(stanza)
        proof = verify(stanza, made.id)
        assert proof.verdict == "partial"
        assert proof.failed == []
        (share,) = [check for check in proof.checks if check.name == "the share of today"]
        sealed = [table.name for table in stanza.catalogue.fingerprint(made).tables]
        assert share.seen.startswith(f"{len(sealed)} of {TABLES} tables")
        compared += sealed
    assert sorted(compared) == sorted(f"hl7.public.t{number}" for number in range(TABLES))


def test_a_table_of_another_day_must_be_there_all_the_same(home):
    """Its rows are not compared; that it is gone is seen."""
    stanza = at(home, proof_cycle_days=2)
    made = take.take(stanza)
    (gone, *_) = stanza.catalogue.fingerprint(made).not_due
    table = gone.removeprefix("hl7.")

    def drop(server):
        with server.database("hl7").connect() as connection:
            connection.execute(f"drop table {table}")

    proof = verify(stanza, made.id, meddle=drop)
    assert proof.verdict == "failed"
    assert gone in " ".join(check.seen for check in proof.failed)


def test_what_is_left_out_on_purpose_is_named_and_leaves_the_proof_whole(home):
    """By SEAL_EXCLUDE, and since unlogged tables are empty after every recovery."""
    stanza = at(home, seal_exclude="*.public.t1,public.t2")
    proof = verify(stanza, take.take(stanza).id)
    (said,) = [check.seen for check in proof.checks if check.name == "what is left out is known"]
    assert proof.verdict == "proven"
    for name in ("hl7.public.t1 (", "hl7.public.t2 (", "hl7.public.passing ("):
        assert name in said


def test_a_setting_of_alter_system_that_differs_is_named_and_its_value_is_not(home, backup):
    """They lie in a file, and were copied with the others."""

    def alter(server):
        with server.connect() as connection:
            connection.execute("alter system set work_mem = '7654kB'")

    proof = verify(at(home), backup.id, meddle=alter)
    said = [check for check in proof.failed if check.name.startswith("settings of ALTER SYSTEM")]
    assert [check.seen for check in said] == ["work_mem"]
    assert "7654" not in str(proof)


@pytest.fixture
def copy(home, backup):
    """Restore a copy to just that backup."""
    path = home / "copy"
    restore(at(home), parse(backup.id), Destination(path))
    yield path
    restored.remove(path)


def test_a_restored_directory_is_held_against_a_seal_whether_it_runs_or_not(home, backup, copy):
    """It is not changed by that: it stays where its recovery was paused."""
    for _ in range(2):
        checks = compare(at(home), copy, backup.id)
        require_equal(copy, checks)
        assert len(checks) > 5
        restored.stop(restored.find(copy))
    assert (copy / "recovery.signal").exists()


def test_a_directory_that_differs_from_a_seal_is_named(home, backup):
    """A row that was deleted in it, above all."""
    path = home / "written"
    done = restore(at(home), parse(backup.id), Destination(path), promote=True)
    with done.server.database("hl7").connect() as connection:
        connection.execute("delete from public.t3")
    try:
        with pytest.raises(Corrupt, match=r"hl7\.public\.t3"):
            require_equal(path, compare(at(home), path, backup.id))
    finally:
        restored.remove(path)


def test_what_is_no_data_directory_is_refused(home, backup):
    """And nothing is made in it."""
    with pytest.raises(Refused, match="no data directory"):
        compare(at(home), home, backup.id)
