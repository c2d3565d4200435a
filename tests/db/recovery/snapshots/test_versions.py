"""Snapshots across versions of PostgreSQL: of 15 into 15 and 18, and never back."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tasks.backup.take import take
from tasks.control import settings
from tasks.control.errors import Refused
from tasks.postgres.cluster import Cluster, socket_directory
from tasks.postgres.owner import service_owner
from tasks.recovery.proving.verify import verify
from tasks.repository.stanza import open_stanza
from tests.db.recovery.snapshots.conftest import Place, fill


DEBIAN = Path("/usr/lib/postgresql/15/bin")

SPELLED_IN_ITS_OWN_WAY = (
    "create extension pg_stat_statements",
    "create view pairs as select a.id, a.name from fruit a join kinds b on b.id = a.kind",
    "grant all on kinds to clerk",
    "alter table fruit enable row level security",
    "create policy few on fruit using (id > 0 and kind in (1, 2))",
    "alter table fruit add check (name is not null)",
    "grant execute on function told to readers",
)


@pytest.fixture(scope="module")
def folder():
    """Make a folder for homes."""
    path = Path(tempfile.mkdtemp(prefix="hl7ops-versions-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def fifteen(folder):
    """Take a snapshot of a server of Debian."""
    assert (DEBIAN / "postgres").exists(), "the package postgresql-15 is missing"
    source = Cluster(folder / "source", socket_directory(folder, 5441), 5441, DEBIAN)
    source.create(service_owner(), {"wal_level": "replica"})
    source.start()
    with source.server("main").connect() as connection:
        connection.execute("create database hl7")
    known = {"hl7ops_home": folder / "home", "database_url": source.server("main", "hl7").address}
    stanza = open_stanza(settings.load(**known, hl7ops_programs=DEBIAN))
    fill(stanza, folder)
    with stanza.server().connect() as connection:
        for statement in SPELLED_IN_ITS_OWN_WAY:
            connection.execute(statement.encode())
    snapshot = take(stanza, "snapshot")
    source.stop()
    yield known, snapshot
    source.stop("immediate")


@pytest.mark.parametrize(("tools", "major"), [(DEBIAN, "15"), (None, "18")])
@pytest.mark.parametrize("tables", [(), ("hl7.public.fruit", "hl7.public.kinds")])
def test_a_snapshot_of_15_is_loaded_and_equal(fifteen, tools, major, tables):
    """By its own version and by a newer one, which spells some things in its own way."""
    known, snapshot = fifteen
    more = {"hl7ops_programs": tools} if tools else {}
    place = Place(open_stanza(settings.load(**known, **more)), snapshot)
    done = place.load([], tables)
    with done.server.database("hl7").connect() as connection:
        assert connection.execute("select count(*) from fruit").fetchone() == (500,)
        assert connection.execute("show server_version").fetchone()[0].startswith(major)
    place.close()


def test_a_snapshot_of_15_is_proven_by_18(fifteen):
    """Every check of it holds; what nobody can connect to is in no dump, and named."""
    known, snapshot = fifteen
    proof = verify(open_stanza(settings.load(**known)), snapshot.id)
    (told,) = [check for check in proof.checks if check.outcome != "pass"]
    assert (told.outcome, told.seen) == ("partial", "database closed (it takes no connections)")


@pytest.mark.parametrize(
    ("mishap", "named"),
    [
        ("drop view pairs", "view public.pairs"),
        ("drop policy few on fruit", "policy public.fruit few"),
        ("alter table fruit alter name set not null", "table public.fruit"),
        ("drop extension pg_stat_statements", "extension pg_stat_statements"),
        ("revoke update on kinds from clerk", "acl table public.kinds"),
    ],
)
def test_what_differs_is_seen_across_versions_as_well(fifteen, mishap, named):
    """Nothing that a version does not spell in its own way is passed over."""
    known, snapshot = fifteen

    def meddle(server):
        with server.database("hl7").connect() as connection:
            connection.execute(mishap.encode())

    proof = verify(open_stanza(settings.load(**known)), snapshot.id, meddle=meddle)
    assert proof.verdict == "failed"
    assert any(named in check.seen for check in proof.checks if check.outcome == "fail")


def test_a_snapshot_of_18_is_refused_by_15(folder):
    """And it is said of which version the programs must be."""
    home = {"hl7ops_home": folder / "newer"}
    stanza = open_stanza(settings.load(**home))
    stanza.server()
    snapshot = take(stanza, "snapshot")
    stanza.home.primary.stop("immediate")
    older = open_stanza(settings.load(**home, hl7ops_programs=DEBIAN))
    with pytest.raises(Refused, match=r"seen: .*PostgreSQL 15\).*expected: PostgreSQL 18"):
        Place(older, snapshot).load()
