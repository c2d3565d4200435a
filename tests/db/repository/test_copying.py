"""From a directory to S3: byte for byte, only what is new, and good when it is proven there."""

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.backup import take, wal
from tasks.backup.cleanup import cleanup
from tasks.control import clock, settings
from tasks.control.errors import Corrupt, Refused
from tasks.recovery.proving.verify import verify
from tasks.repository import keeping
from tasks.repository.check import check
from tasks.repository.copying import Copier
from tasks.repository.legal import LegalHold
from tasks.repository.pins import Pin
from tasks.repository.stanza import open_stanza
from tests.faults.killing import S3, killer


def run(stanza, *statements):
    """Run statements, one after the other."""
    with stanza.server().connect() as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def both(s3_settings):
    """Open a stanza that keeps backups in a directory and in S3, with a chain in the directory."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-both-"))
    home.chmod(0o755)
    chosen = s3_settings | {"backup_dir": home / "repository", "s3_retention_days": 7}
    stanza = open_stanza(settings.load(hl7ops_home=home, **chosen))
    run(stanza, "create table kept as select n, repeat('x', 99) p from generate_series(1, 999) n")
    take.take(stanza)
    run(stanza, "update kept set p = 'y'")
    take.take(stanza, "incremental")
    yield stanza
    stanza.home.primary.stop("immediate")
    shutil.rmtree(home)


def copier(stanza):
    """Return what copies from the directory to S3."""
    return Copier(stanza.catalogue, stanza.repositories["s3"])


def ids(stanza, repository):
    """List the backups of a repository."""
    return [entry.id for entry in stanza.repositories[repository].entries()]


def test_a_copy_holds_the_chain_and_is_proven_there_for_itself(both):
    """The parent goes along; the proof of the source is none of the copy."""
    verify(both, "latest")
    done = copier(both).run(["latest"])
    assert done.backups == ids(both, "local") == ids(both, "s3")
    assert done.segments > 0
    there = both.at("s3")
    assert check(there.catalogue).damage == []
    assert there.catalogue.last_proof(done.backups[-1]) is None
    assert verify(there, "latest").verdict == "proven"


def test_what_is_there_is_not_copied_again(both):
    """Only what is newer goes, and WAL as it comes."""
    assert len(copier(both).run(everything=True).backups) == 2
    again = copier(both).run()
    assert (again.backups, again.segments) == ([], 0)
    run(both, "update kept set p = 'z'")
    wal.pull(both, both.server())
    assert copier(both).wal().segments > 0
    made = take.take(both, "incremental")
    assert copier(both).run().backups == [made.id]
    assert check(both.repositories["s3"]).damage == []


def test_an_empty_target_gets_the_newest_chain(both):
    """Not all that ever was."""
    made = take.take(both)
    assert copier(both).run().backups == [made.id]


def test_a_damaged_source_is_not_copied(both):
    """Nothing takes its name at the target."""
    made = both.catalogue.get("latest")
    path = both.catalogue.storage.root / both.catalogue.prefix(made.id) / "base.tar.zst"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(Corrupt, match=r"other contents; seen: .*base\.tar\.zst in /"):
        copier(both).run([made.id])
    assert made.id not in ids(both, "s3")


def test_each_repository_has_a_retention_of_its_own(both):
    """Three weeks later the copies are gone from S3, and the directory has all of it."""
    verify(both, "latest")
    copier(both).run(everything=True)
    later = clock.now() + timedelta(days=21)
    run(both, "update kept set p = 'w'")
    newest = take.take(both)
    copier(both).run()
    verify(both.at("s3"), newest.id)
    there = both.at("s3")
    there = open_stanza(there.settings.model_copy(update={"s3_retention_minimum": 1})).at("s3")
    assert cleanup(both, now=later).plan.drop == []
    cleanup(there, now=later)
    assert ids(both, "s3") == [newest.id]
    assert check(there.catalogue).damage == []
    assert copier(both).run().backups == []


def test_a_repository_of_another_cluster_is_refused(both, s3_settings):
    """Two clusters never share one."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-other-"))
    home.chmod(0o755)
    other = open_stanza(
        settings.load(hl7ops_home=home, **s3_settings | {"backup_dir": home / "repository"})
    )
    copier(both).run(["latest"])
    take.take(other)
    shutil.copytree(both.home.keys, other.home.keys, dirs_exist_ok=True)
    with pytest.raises((Refused, Corrupt), match=r"another cluster|not trusted"):
        copier(other).run(["latest"])
    other.home.primary.stop("immediate")
    shutil.rmtree(home)


def test_a_copy_is_killed_anywhere_and_gone_on_with(both, s3_settings):
    """What was whole stays; nothing half is listed; the lease of the dead keeps nobody out."""
    known = s3_settings | {
        "hl7ops_home": both.home.path,
        "backup_dir": both.home.path / "repository",
    }
    with killer() as death:
        for number in range(2, 30, 4):
            death.kill("copy", S3, number, after=bool(number % 8), **known)
            assert set(ids(both, "s3")) <= set(ids(both, "local"))
    copier(both).run(everything=True)
    assert ids(both, "s3") == ids(both, "local")
    assert check(both.repositories["s3"]).damage == []
    assert verify(both.at("s3"), "latest").verdict == "proven"


@pytest.mark.parametrize("how", ["gone", "flipped"])
def test_a_bad_copy_is_sent_again(both, s3, how):
    """One that is not whole, and one that failed its proof there."""
    copier(both).run(everything=True)
    full = both.catalogue.get(ids(both, "local")[0])
    there = both.repositories["s3"]
    name = f"{there.prefix(full.id)}base.tar.zst"
    if how == "gone":
        there.storage.delete(name)
    else:
        data = there.storage.get(name)
        there.storage.put(name, data[:-1] + bytes([data[-1] ^ 1]))
        assert verify(both.at("s3"), full.id).verdict == "failed"
    assert check(there).damage
    assert copier(both).run([full.id]).backups == [full.id]
    assert check(there).damage == []
    assert verify(both.at("s3"), full.id).verdict == "proven"
    assert copier(both).run([full.id]).backups == []


def test_what_keeps_a_backup_keeps_its_copy_too(both):
    """Who pinned it, or put it under legal hold, meant the backup, wherever it lies."""
    full, incremental = ids(both, "local")
    keeping.pin(both, Pin(full, "before the upgrade", clock.now(), None))
    keeping.hold(both, LegalHold(incremental, "case 12", "the auditor", clock.now()))
    copier(both).run(everything=True)
    there = both.repositories["s3"]
    assert there.pins.reasons() == both.catalogue.pins.reasons()
    assert there.legal.reasons() == both.catalogue.legal.reasons()
    with pytest.raises(Refused, match="legal hold"):
        there.discard(incremental)
    there.storage.delete(f"{there.prefix(incremental)}base.tar.zst")
    assert copier(both).run([incremental]).backups == [incremental]
    assert check(there).damage == []


def test_a_copy_has_a_journal_of_its_own(both):
    """It tells what was copied and where from; what was removed there comes again if asked."""
    full, incremental = ids(both, "local")
    keeping.pin(both, Pin(full, "before the upgrade", clock.now(), None))
    copier(both).run(everything=True)
    there, place = both.repositories["s3"], both.catalogue.storage.place
    told = [(each.entry.kind, each.entry.source) for each in there.journal.entries()]
    assert told == [("copied", place), ("pinned", place), ("copied", place)]
    there.discard(incremental)
    copier(both).run(everything=True)
    assert [each.entry.kind for each in there.journal.entries()][3:] == ["removed", "copied"]
    assert [each.entry.kind for each in both.catalogue.journal.entries()] == [
        *("taken", "taken", "pinned")
    ]
    assert check(there).damage == check(both.catalogue).damage == []


def test_a_lost_copy_is_named_and_sent_again(both):
    """Its journal tells of it; afterwards nothing is missing."""
    newest = copier(both).run(everything=True).backups[-1]
    there = both.repositories["s3"]
    for name, _ in there.objects(newest):
        there.storage.delete(name)
    (found,) = check(there).damage
    assert (found.subject, found.said[:18]) == (newest, "is gone as a whole")
    assert copier(both).run([newest]).backups == [newest]
    assert check(there).damage == []


def test_a_bare_machine_restores_from_the_bucket_alone(both, s3_settings):
    """Its home is empty; the key of the repository is met there."""
    copier(both).run(everything=True)
    home = Path(tempfile.mkdtemp(prefix="hl7ops-bare-"))
    home.chmod(0o755)
    bare = open_stanza(settings.load(hl7ops_home=home, **s3_settings))
    assert list(bare.repositories) == ["s3"]
    assert verify(bare, "latest").verdict == "proven"
    shutil.rmtree(home)


def test_a_stanza_without_such_a_repository_says_which_there_are(both):
    """Its name is one of two."""
    with pytest.raises(Refused, match="no such repository; seen: tape; expected: local or s3"):
        both.at("tape")
