"""Programs of another major version never read a backup: others are found, or it is refused."""

import pytest

from tasks.backup.take import take
from tasks.control import settings
from tasks.control.errors import Refused
from tasks.postgres import programs
from tasks.recovery.copies import unpack
from tasks.recovery.drill.rehearse import rehearse
from tasks.recovery.planning.target import parse
from tasks.recovery.proving.verify import verify
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.restore import restore
from tasks.recovery.snapshots.selection import Selection
from tasks.recovery.snapshots.wanted import wanted
from tasks.repository.stanza import open_stanza


def with_programs(source, path):
    """Return the stanza of a source with other programs."""
    known = {"hl7ops_home": source.path / "home", "database_url": source.server.address}
    return open_stanza(settings.load(**known, hl7ops_programs=path))


@pytest.fixture
def source(make_source):
    """Make a source of version 15 with one backup."""
    made = make_source("15")
    take(made.stanza)
    return made


def test_chosen_programs_of_another_version_are_refused_before_anything_is_fetched(
    source, monkeypatch
):
    """The backup is not condemned: nothing is recorded."""
    newer = programs.embedded()
    stanza = with_programs(source, newer)
    (backup,) = stanza.catalogue.backups()

    def fetched(*_):
        raise AssertionError

    monkeypatch.setattr(unpack, "unpack", fetched)
    match = rf"no programs of PostgreSQL 15; seen: looked in {newer} \(PostgreSQL 18\)"
    with pytest.raises(Refused, match=match):
        verify(stanza, backup.id)
    with pytest.raises(Refused, match=match):
        restore(stanza, parse("latest"), Destination(source.path / "copy"))
    with pytest.raises(Refused, match=match):
        rehearse(stanza, 1)
    assert stanza.catalogue.last_proof(backup.id) is None
    assert not (source.path / "copy").exists()


def test_unless_some_are_chosen_those_of_the_right_version_are_looked_for(source):
    """Where packages put them; a physical backup wants just its own."""
    stanza = with_programs(source, None)
    (backup,) = stanza.catalogue.backups()
    assert programs.major(stanza.programs, "postgres") == 18
    assert stanza.with_programs_of(backup).programs == source.cluster.programs
    assert verify(stanza, backup.id).verdict == "proven"
    done = restore(stanza, parse("latest"), Destination(source.path / "copy"))
    source.copies.append(done.cluster)
    assert done.programs == str(source.cluster.programs)
    assert rehearse(stanza, 1).verdict == "passed"


def test_a_snapshot_is_loaded_by_newer_programs_but_by_no_older_ones(make_source):
    """Of what is loaded nothing depends on the files of a version."""
    source = make_source("18")
    made = take(source.stanza, "snapshot")
    with pytest.raises(Refused, match=r"no programs of PostgreSQL 18.*expected: .* or newer"):
        wanted(with_programs(source, make_source("15").cluster.programs), made, Selection())
    source = make_source("15")
    made = take(source.stanza, "snapshot")
    newer = with_programs(source, programs.embedded())
    assert newer.with_programs_of(made).programs == programs.embedded()
