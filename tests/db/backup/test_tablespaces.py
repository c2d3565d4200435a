"""A cluster whose tables lie in several places: all of them are kept, proven, and left alone."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tasks.backup import take
from tasks.control import settings
from tasks.recovery.proving.verify import verify
from tasks.repository.stanza import open_stanza


@pytest.fixture
def spread():
    """Open a stanza with a table in each of two tablespaces, one with blanks in its path."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-spread-"))
    home.chmod(0o755)
    stanza = open_stanza(settings.load(hl7ops_home=home))
    with stanza.server().connect() as connection:
        for name in ("fast disk", "slow"):
            place = home / name
            place.mkdir()
            stanza.home.owner.take(place)
            space = name.partition(" ")[0]
            connection.execute(f"create tablespace {space} location '{place}'")
            connection.execute(
                f"create table in_{space} tablespace {space} as"
                " select n, md5(n::text) from generate_series(1, 20000) n"
            )
    yield stanza
    stanza.home.primary.stop("immediate")
    shutil.rmtree(home)


def files(path):
    """Return the files below a path with their times."""
    return {each: each.stat().st_mtime_ns for each in path.rglob("*") if each.is_file()}


def test_every_tablespace_is_kept_and_proven(spread):
    """In one stream, without the copy ever touching the source's own directories."""
    made = take.take(spread)
    assert len(made.tablespaces) == 2
    assert len([item for item in made.objects if item.name[0].isdigit()]) == 2
    spread.home.primary.stop()
    places = [spread.home.path / name for name in ("fast disk", "slow")]
    before = [files(place) for place in places]
    proof = verify(spread, made.id)
    assert proof.verdict == "proven", proof.failed
    assert [files(place) for place in places] == before


def test_a_tablespace_that_was_damaged_is_named(spread):
    """By the object that holds it; and with its directory gone at the source, it is proven."""
    made = take.take(spread)
    spread.home.primary.stop()
    shutil.rmtree(spread.home.path / "slow")
    assert verify(spread, made.id).verdict == "proven"
    name = next(item.name for item in made.objects if item.name[0].isdigit())
    os.truncate(spread.catalogue.storage.root / spread.catalogue.prefix(made.id) / name, 1000)
    proof = verify(spread, made.id)
    assert proof.verdict == "failed"
    assert name in proof.failed[0].seen
