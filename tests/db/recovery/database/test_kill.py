"""A set back that is killed: the live cluster has its database at every instant, whole."""

import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from tasks.backup import wal
from tasks.backup.take import take
from tasks.control import settings
from tasks.recovery.database import swap as swaps
from tasks.recovery.database.names import known
from tasks.repository.stanza import open_stanza


POINTS = 15

PLACES = (
    "tasks.recovery.database.beside:restore",
    "tasks.recovery.database.beside:mark",
    "tasks.recovery.database.beside:_run",
    "tasks.recovery.database.beside:_marked",
    "tasks.recovery.database.beside:compare",
    "tasks.recovery.database.beside:discard_loaded",
    "tasks.recovery.database.setting_back:serves",
    "tasks.recovery.database.swap:_rename",
    "tasks.recovery.database.swap:mark",
    "tasks.recovery.database.swap:unmark",
    "tasks.recovery.restoring.restored:remove",
    "tasks.recovery.restoring.work:Work.remove",
)

THEN, NOW = [(1,)], [(2,)]
"""What the database held at the point, and what it holds since."""


@pytest.fixture(scope="module")
def site():
    """Run a small platform and another database, with a mishap after a known moment."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-database-"))
    home.chmod(0o755)
    stanza = open_stanza(settings.load(hl7ops_home=home))
    server = stanza.server()
    with server.connect() as connection:
        connection.execute("create database other")
        connection.execute("create table counted as select 1 as n")
        take(stanza)
        (moment,) = connection.execute("select clock_timestamp()").fetchone()
        connection.execute("update counted set n = 2")
    with server.database("other").connect() as connection:
        connection.execute("create table counted as select 3 as n")
    wal.pull(stanza, server)
    yield SimpleNamespace(stanza=stanza, server=server, moment=moment.isoformat(), home=home)
    stanza.home.primary.stop("immediate")
    shutil.rmtree(home)


def rows(site, database="hl7"):
    """Return what a database of the live cluster holds."""
    with site.server.database(database).connect() as connection:
        return connection.execute("select n from counted").fetchall()


def beside(site, role):
    """Return the databases that stand beside the live one in a role."""
    with swaps.administering(site.server, "hl7") as connection:
        return known(connection, "hl7", role)


def see_that_nothing_is_left(site):
    """See that only what is kept on purpose is there: no copy, no server, no half database."""
    assert list((site.home / "side").iterdir()) == []
    lines = [" ".join(each.info["cmdline"] or []) for each in psutil.process_iter(["cmdline"])]
    assert [line for line in lines if f"{site.home}/side" in line] == []
    assert beside(site, "restoring") == []
    with site.server.connect() as connection:
        names = {name for (name,) in connection.execute("select datname from pg_database")}
    ours = {each.name for role in ("before", "undone") for each in beside(site, role)}
    assert names == ours | {"hl7", "other", "postgres", "template0", "template1"}


def test_a_set_back_that_is_killed_leaves_the_database_whole(site, death):
    """At fifteen points and more: as it was or as it was wanted; the next run leaves nothing."""
    wish = {"hl7ops_home": site.home, "target": site.moment}
    seen = {"as it was": 0, "swapped": 0}
    for number in death.deaths("set back", PLACES, POINTS, **wish):
        assert rows(site) in (THEN, NOW), number
        assert rows(site, "other") == [(3,)]
        seen["as it was" if rows(site) == NOW else "swapped"] += 1
        if rows(site) == THEN:
            swaps.roll_back(site.server, "hl7")
    assert min(seen.values()) > 1, seen
    see_that_the_next_run_is_whole(site, death, wish)


def see_that_the_next_run_is_whole(site, death, wish):
    """See that after a kill the same call does it, and cleans up."""
    death.count("set back", PLACES, **wish)
    assert rows(site) == THEN
    see_that_nothing_is_left(site)
