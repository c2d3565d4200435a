"""Killed at any point, the next run converges: nothing half is listed, nothing good is lost."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tasks.backup import take, wal
from tasks.backup.cleanup import cleanup
from tasks.control import settings
from tasks.recovery.proving.verify import verify
from tasks.repository.check import check
from tasks.repository.stanza import open_stanza
from tasks.repository.wal import intervals
from tests.faults.killing import LOCAL, S3, killer


POINTS = 20
"""Deaths of each verb, spread over all of its calls."""


@pytest.fixture(scope="module")
def death():
    """Start what kills."""
    with killer() as one:
        yield one


@pytest.fixture
def far(s3_settings):
    """Open a stanza that keeps its backups in S3."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-far-"))
    home.chmod(0o755)
    stanza = open_stanza(settings.load(hl7ops_home=home, **s3_settings))
    with stanza.server().connect() as connection:
        connection.execute("create table counted as select generate_series(1, 1000) as n")
    yield stanza, {"hl7ops_home": home, **s3_settings}
    stanza.home.primary.stop("immediate")
    shutil.rmtree(home)


def write(stanza):
    """Let there be something to archive."""
    with stanza.server().connect() as connection:
        connection.execute("insert into counted (n) select * from generate_series(1, 1000)")


def listed(stanza):
    """Return the names of the backups that count."""
    return [entry.id for entry in stanza.catalogue.entries()]


def see_that_only_leftovers_are_found(stanza):
    """See that whatever is listed is whole."""
    for finding in check(stanza.catalogue, quick=True).damage:
        assert "cleanup removes what a kill left" in finding.said, finding


def kill_takes(death, stanza, kind, places, known):
    """Let takes die at points over all of their calls; each is listed whole, or not at all."""
    take.take(stanza)
    write(stanza)
    before = listed(stanza)
    for _ in death.deaths(kind, places, POINTS, **known):
        assert set(listed(stanza)) >= set(before)
        before = listed(stanza)
        see_that_only_leftovers_are_found(stanza)
    made = take.take(stanza, kind)
    cleanup(stanza)
    assert stanza.catalogue.leftovers() == []
    assert check(stanza.catalogue).damage == []
    assert verify(stanza, made.id).verdict == "proven"


@pytest.mark.parametrize("kind", ["full", "differential", "incremental", "snapshot"])
def test_a_take_that_is_killed_is_listed_whole_or_not_at_all(stanza, death, kind):
    """What it left is collected, the backups from before are untouched, the next is proven."""
    kill_takes(death, stanza, kind, LOCAL, {"hl7ops_home": stanza.home.path})


@pytest.mark.parametrize("kind", ["incremental", "snapshot"])
def test_a_take_to_s3_that_is_killed_is_listed_whole_or_not_at_all(far, death, kind):
    """Uploads that were not finished are collected too."""
    stanza, known = far
    kill_takes(death, stanza, kind, S3, known)


@pytest.mark.parametrize(
    "place",
    [
        "tasks.backup.transfer:Transfer.run",
        "tasks.repository.local:LocalStorage.put",
        "tasks.backup.transfer:slot.advance",
    ],
)
def test_a_killed_pull_leaves_no_gap(stanza, death, place):
    """The slot has moved only as far as the archive reaches, so the next pull goes on there."""
    wal.pull(stanza, stanza.server(), restart=True)
    before = intervals(wal.open_archive(stanza, stanza.server()).kept())
    write(stanza)
    death.kill("pull", [place], 1, hl7ops_home=stanza.home.path)
    wal.pull(stanza, stanza.server())
    assert len(intervals(wal.open_archive(stanza, stanza.server()).kept())) == len(before)


@pytest.mark.parametrize(
    "place",
    [
        "tasks.recovery.copies.unpack:_untar",
        "tasks.recovery.proving.holding:look",
        "tasks.repository.catalogue:Catalogue.record",
    ],
)
def test_a_killed_verification_is_collected_by_the_next(stanza, death, place):
    """Its scratch cluster, running or not, is removed, and the proof is made."""
    take.take(stanza)
    death.kill("verify", [place], 1, hl7ops_home=stanza.home.path)
    assert verify(stanza, "latest").verdict == "proven"
    assert not list(stanza.home.scratch.iterdir())


def test_a_killed_cleanup_leaves_no_backup_without_its_data(stanza, death):
    """What is listed has all of its objects, and the next cleanup removes the rest."""
    known, last = {"hl7ops_home": stanza.home.path}, take.take(stanza)
    for number in range(POINTS):
        while len(listed(stanza)) < 5:
            last = take.take(stanza)
        death.kill("cleanup", LOCAL, 1 + number, after=bool(number % 2), **known)
        see_that_only_leftovers_are_found(stanza)
    cleanup(stanza)
    assert stanza.catalogue.leftovers() == []
    assert check(stanza.catalogue).damage == []
    assert stanza.catalogue.get("latest") == last
