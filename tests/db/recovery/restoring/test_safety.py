"""Where a copy may go, and what is left where it may not, or where it fails."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from tasks.backup import wal
from tasks.control import settings
from tasks.control.errors import Corrupt, Refused
from tasks.postgres.cluster import Cluster
from tasks.recovery.planning import survey
from tasks.recovery.planning.target import parse
from tasks.recovery.restoring import restored
from tasks.recovery.restoring.directory import Destination, examine
from tasks.recovery.restoring.restore import restore
from tasks.repository.stanza import open_stanza
from tests.db.ledger import found


@pytest.fixture
def there(scene):
    """Return the place of the copies, empty."""
    path = scene.copies.path
    yield path
    for each in scene.copies.folder.iterdir():
        shutil.rmtree(each) if each.is_dir() else each.unlink()


def files(path):
    """Return all files below a directory with what they hold."""
    return {
        str(each.relative_to(path)): each.read_bytes() for each in path.rglob("*") if each.is_file()
    }


def refused(scene, path, match, **more):
    """See that nothing is restored to a path, by plan and by deed."""
    plan = survey.plan(scene.stanza, parse("latest"))
    destination = Destination(path, **more)
    with pytest.raises(Refused, match=match):
        examine(scene.stanza, plan.needs, destination)
    with pytest.raises(Refused, match=match):
        restore(scene.stanza, parse("latest"), destination)
    assert not destination.work.exists()


def test_someone_elses_files_stay(scene, there):
    """With --replace, too: they are no database cluster."""
    there.mkdir()
    (there / "thesis.txt").write_text("all of it")
    refused(scene, there, "no database cluster's")
    refused(scene, there, "no database cluster's", replace=True)
    assert files(there) == {"thesis.txt": b"all of it"}


def test_f1_a_running_cluster_is_never_touched(scene):
    """F1: above all not the source, even with --replace."""
    refused(scene, scene.stanza.home.primary.data, "a server runs on it", replace=True)


@pytest.mark.parametrize("where", ["home", "primary/base", "repository", "."])
def test_places_of_ours_and_of_the_source_are_refused(scene, where):
    """The home, a directory in a data directory, the repository, and what holds them."""
    home = scene.stanza.home.path
    path = {"home": home, ".": home.parent}.get(where, home / where)
    refused(scene, path, "nothing can be restored there", replace=True)


@pytest.mark.parametrize("path", ["/", '/srv/quo"te', "/srv/two\nlines"])
def test_a_path_that_no_program_takes_is_refused(path):
    """Before anything is looked at."""
    with pytest.raises(Refused, match="no data directory can be called so"):
        Destination(Path(path))


def test_a_table_can_be_read_that_was_just_about_to_be_dropped(scene, there):
    """Recovery ends after the last transaction before, not in the midst of the one that dropped."""
    server = scene.stanza.server()
    with server.connect() as connection:
        connection.execute("create table doomed as select 1 as n")
    with server.connect(autocommit=False) as connection:
        (moment,) = connection.execute("select clock_timestamp()").fetchone()
        connection.execute("drop table doomed")
        connection.commit()
    wal.pull(scene.stanza, server)
    done = scene.copies.restore(moment.isoformat())
    with done.server.database("hl7").connect(lock_timeout_ms=2000) as connection:
        assert connection.execute("select n from doomed").fetchone() == (1,)
    done.cluster.stop("immediate")


def test_a_file_a_link_and_a_missing_directory_above_are_refused(scene, there, tmp_path):
    """They are no place for a data directory."""
    there.write_text("x")
    refused(scene, there, "it is no directory")
    there.unlink()
    there.symlink_to(tmp_path)
    refused(scene, there, "it is no directory")
    there.unlink()
    refused(scene, there / "deeper" / "data", "the directory above it")


def test_a_disk_without_room_is_told_before_anything_is_fetched(scene, there, monkeypatch):
    """With how much more is needed (scenario 14: pgmoneta's look at the disk)."""
    usage = shutil.disk_usage("/")._replace(free=1 << 20)
    full = SimpleNamespace(disk_usage=lambda _: usage)
    monkeypatch.setattr("tasks.recovery.restoring.directory.shutil", full)
    refused(scene, there, "not enough room to restore")


def test_a_working_directory_with_other_things_in_it_is_refused(scene, there):
    """They may be somebody's."""
    work = Destination(there).work
    work.mkdir()
    (work / "thesis.txt").write_text("all of it")
    with pytest.raises(Refused, match="the working directory holds something else"):
        restore(scene.stanza, parse("immediate"), Destination(there))
    assert files(work) == {"thesis.txt": b"all of it"}


def test_an_old_cluster_is_moved_aside_and_back_by_one_call(scene, there):
    """Byte for byte; and the copy is kept, too."""
    old = Cluster(there, there.with_name("run"), 5432, scene.stanza.programs)
    old.create(scene.stanza.home.owner, {})
    before = files(there)
    with pytest.raises(Refused, match="--replace moves that aside"):
        scene.copies.restore("immediate")
    done = scene.copies.restore("immediate", replace=True)
    assert files(Path(done.previous)) == before
    again = restored.find(there)
    assert again == done
    aside = restored.undo(again)
    assert files(there) == before
    assert (aside / "PG_VERSION").exists()
    with pytest.raises(Refused, match="nothing was restored there"):
        restored.find(there)


def test_what_replaced_a_copy_can_be_undone_twice(scene, there):
    """Each copy knows what was there before it."""
    first = scene.copies.restore("immediate")
    restored.stop(first)
    second = scene.copies.restore("name:after full", replace=True)
    assert restored.find(there).target == "name after full"
    restored.undo(second)
    assert restored.find(there) == first
    with pytest.raises(Refused, match="there is nothing to put back"):
        restored.undo(first)


def test_a_copy_is_read_only_until_it_is_promoted_on_purpose(scene, there):
    """Then it can be written, once and for all."""
    done = scene.copies.restore("immediate")
    server = done.server.database("hl7")
    with server.connect() as connection, pytest.raises(Exception, match="read-only"):
        connection.execute("insert into ledger values (0, '3')")
    promoted = restored.promote(restored.find(there))
    with server.connect() as connection:
        connection.execute("insert into ledger values (0, '3')")
    assert 0 in found(server)
    with pytest.raises(Refused, match="it was promoted"):
        restored.promote(restored.find(there))
    assert restored.stop(promoted)
    assert not restored.stop(promoted)
    own = Cluster(there, scene.copies.folder / "run", 5433, scene.stanza.programs)
    own.start()
    assert 0 in found(own.server("main", "hl7"))
    own.stop()


def test_a_missing_segment_is_told_and_the_target_stays_empty(scene, there):
    """Nothing half is left behind, and a point before the gap is still reached.

    Scenario 4: pg_probackup's lost segment.
    """
    archive = scene.stanza.catalogue.archive(scene.backups[0])
    kept = archive.kept()
    victim = kept[sorted(kept)[-2]]
    path = Path(scene.stanza.catalogue.storage.place, victim.object)
    aside = path.with_name("aside")
    path.rename(aside)
    try:
        with pytest.raises(Refused, match="no backup leads to this point"):
            scene.copies.restore("latest")
        assert list(scene.copies.folder.iterdir()) == []
        point = scene.ledger.names["after incremental"]
        rows = scene.copies.rows("name:after incremental")
        assert rows == scene.ledger.until(point, inclusive=True)
    finally:
        aside.rename(path)


def test_f24_changed_wal_is_told_and_the_target_stays_as_it_was(scene, there):
    """F24: what was changed after it was kept is not replayed."""
    archive = scene.stanza.catalogue.archive(scene.backups[0])
    kept = archive.kept()
    start = scene.backups[-1].start_lsn
    victim = next(
        kept[each]
        for each in sorted(kept)
        if each.start >= int(start.split("/")[1], 16) & ~0xFFFFFF
    )
    path = Path(scene.stanza.catalogue.storage.place, victim.object)
    before = path.read_bytes()
    path.write_bytes(before[:-20] + b"x" + before[-19:])
    try:
        with pytest.raises(Corrupt, match=victim.segment.name):
            scene.copies.restore("latest")
        assert list(scene.copies.folder.iterdir()) == []
    finally:
        path.write_bytes(before)


def test_another_clusters_repository_holds_nothing_of_this_stanza(scene, there, tmp_path):
    """It is refused with where it was looked."""
    other = open_stanza(
        settings.load(hl7ops_home=scene.stanza.home.path, backup_dir=tmp_path / "empty")
    )
    with pytest.raises(Refused, match="the repository is empty"):
        restore(other, parse("latest"), Destination(there))
