"""A restore that is killed: nothing is lost, what was there is there, and the same call goes on."""

import shutil

import pytest

from tasks.postgres.auto_conf import AUTO_CONF, SOURCE_AUTO_CONF
from tasks.recovery.planning.target import parse
from tasks.recovery.restoring import restored
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.restore import restore
from tasks.recovery.restoring.work import Work
from tests.db.ledger import found
from tests.faults.killing import killer


POINTS = 15

PLACES = (
    "tasks.postgres.programs:subprocess.run",
    "tasks.recovery.copies.unpack:unpack",
    "tasks.recovery.restoring.feed:Feed._place",
    "tasks.recovery.restoring.work:Work.done",
    "tasks.recovery.restoring.work:Work.note",
    "tasks.recovery.restoring.restored:Path.rename",
    "tasks.recovery.restoring.restored:Restored.keep",
    "tasks.recovery.restoring.restore:give_back",
    "tasks.recovery.restoring.work:Work.remove",
)


@pytest.fixture(scope="module")
def death():
    """Start what kills."""
    with killer() as one:
        yield one


def test_a_copy_that_was_taken_away_is_made_anew(scene, death, old):
    """Killed when it was just in its place, and removed by somebody: nothing is gone on with."""
    path = old()
    place = "tasks.recovery.restoring.restored:Restored.keep"
    death.kill("restore", [place], 1, hl7ops_home=scene.stanza.home.path)
    assert not (path / "mine").exists()
    shutil.rmtree(path)
    done = restore(scene.stanza, parse("latest"), Destination(path, replace=True))
    assert found(done.server.database("hl7")) == scene.ledger.rows(lambda _: True)
    restored.undo(done)
    assert (path / "mine").read_text() == "kept"


@pytest.fixture
def old(scene):
    """Make a place with a cluster in it, which a restore is to replace, again and again."""
    home = scene.stanza.home.path
    folder = home.with_name(f"{home.name}-copy")

    def make():
        folder.mkdir(mode=0o755)
        (folder / "data").mkdir()
        (folder / "data" / "PG_VERSION").write_text("18\n")
        (folder / "data" / "mine").write_text("kept")
        return folder / "data"

    yield make
    shutil.rmtree(folder, ignore_errors=True)


def test_a_restore_that_is_killed_goes_on(scene, death, old):
    """At fifteen points and more: the old cluster is there or aside, and the next run is exact."""
    rows = scene.ledger.rows(lambda _: True)
    path = old()
    for number in death.deaths("restore", PLACES, POINTS, hl7ops_home=scene.stanza.home.path):
        if number == 0:
            continue
        aside = [each for each in path.parent.iterdir() if ".before-" in each.name]
        kept = [each for each in (path, *aside) if (each / "mine").exists()]
        assert kept, number
        place = Destination(path, replace=True)
        is_over = not place.work.exists() and not (path / "mine").exists()
        done = restored.find(path) if is_over else restore(scene.stanza, parse("latest"), place)
        assert not place.work.exists()
        assert found(done.server.database("hl7")) == rows
        assert (path / AUTO_CONF).exists()
        assert not (path / SOURCE_AUTO_CONF).exists()
        assert (restored.undo(done) / "PG_VERSION").exists()
        assert (path / "mine").read_text() == "kept"
        shutil.rmtree(path.parent)
        old()


def test_a_copy_that_was_promoted_and_not_looked_at_is_made_anew(scene, monkeypatch):
    """A run that ends just then leaves a copy of which nobody knows where its recovery ended."""

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Work, "note", interrupted)
        with pytest.raises(KeyboardInterrupt):
            scene.copies.restore(promote=True)
    done = scene.copies.restore(promote=True)
    assert found(done.server.database("hl7")) == scene.ledger.rows(lambda _: True)
    scene.copies.clear(done)
