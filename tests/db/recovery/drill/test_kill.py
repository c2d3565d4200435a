"""A drill that is killed: the operated cluster does not notice, and the next one cleans up."""

import shutil
import tempfile
from pathlib import Path

import psutil
import pytest

from tasks.backup import wal
from tasks.backup.take import take
from tasks.control import settings
from tasks.repository.stanza import open_stanza


POINTS = 15

PLACES = (
    "tasks.recovery.drill.rehearse:draw",
    "tasks.recovery.drill.rehearse:restore",
    "tasks.recovery.drill.rehearse:of_server",
    "tasks.recovery.drill.faults:bring",
    "tasks.recovery.proving.amcheck:check",
    "tasks.recovery.proving.expectations:Suite.compare",
    "tasks.recovery.restoring.work:Work.done",
    "tasks.recovery.restoring.work:Work.note",
    "tasks.recovery.restoring.recovering:reached",
    "tasks.recovery.restoring.restored:Restored.keep",
    "tasks.recovery.restoring.restored:remove",
    "tasks.recovery.restoring.work:Work.remove",
)


@pytest.fixture(scope="module")
def stanza():
    """Open a stanza with a chain of two and some commits after it."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-drill-"))
    home.chmod(0o755)
    opened = open_stanza(settings.load(hl7ops_home=home))
    with opened.server().connect() as connection:
        connection.execute("create table counted (n int primary key)")
        for number, kind in enumerate(("full", "incremental", None)):
            connection.execute(f"insert into counted select {number} * 100 + generate_series(1, 9)")
            if kind:
                take(opened, kind)
    wal.pull(opened, opened.server())
    yield opened
    opened.home.primary.stop("immediate")
    shutil.rmtree(home)


def state(stanza):
    """Return what a drill must leave as it is: the repository, and what is operated."""
    with stanza.server().connect() as connection:
        rows = connection.execute("select n from counted order by 1").fetchall()
    objects = [(each.name, each.bytes) for each in stanza.catalogue.storage.objects("main/")]
    return rows, objects


def see_that_nothing_is_left(stanza):
    """See that neither a copy nor a server of one is there, and that nothing is held."""
    home = stanza.home.path
    assert [path.name for path in (home / "drill").iterdir()] == [".lock"]
    assert list(stanza.home.scratch.iterdir()) == []
    lines = [" ".join(each.info["cmdline"] or []) for each in psutil.process_iter(["cmdline"])]
    ours = [
        line for line in lines if str(home) in line and str(stanza.home.primary.data) not in line
    ]
    assert ours == []
    for backup in stanza.catalogue.backups():
        assert not stanza.catalogue.storage.held(f"read-{backup.id}", stanza="main")


def test_a_drill_that_is_killed_is_cleaned_up_by_the_next_one(stanza, death):
    """At fifteen points and more: source and repository are as they were; the next one passes."""
    before, wish = state(stanza), {"hl7ops_home": stanza.home.path, "seed": 3}
    for number in death.deaths("drill", PLACES, POINTS, **wish):
        assert state(stanza) == before, number
    death.count("drill", PLACES, **wish)
    see_that_nothing_is_left(stanza)
    assert state(stanza) == before
