"""The repository check under a real Prefect API: sound, damaged, and reported either way."""

import pytest

from flows.check import check
from tasks.backup.take import take
from tasks.control.errors import Corrupt


@pytest.fixture(scope="module")
def made(platform):
    """Take a backup."""
    return take(platform)


@pytest.mark.parametrize("quick", [True, False])
def test_a_sound_repository_is_told_as_that(platform, made, page, quick):
    """Its backups are counted."""
    count = len(platform.catalogue.entries())
    assert check(quick=quick) == count
    assert page("repository-report-main").startswith("# SOUND: ")


def test_a_byte_that_flipped_is_found_by_the_whole_look_and_named(platform, made, page):
    """The run fails, so that somebody is told; the quick look does not claim to have read it."""
    item = made.objects[0]
    path = platform.catalogue.storage.root / platform.catalogue.prefix(made.id) / item.name
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    try:
        assert check(quick=True)
        with pytest.raises(Corrupt, match="an object has other contents"):
            check()
        told = page("repository-report-main")
        assert told.startswith("# DAMAGED: 1 finding in local")
        assert item.name in told
    finally:
        path.write_bytes(data)


def test_a_claim_that_is_gone_is_found_by_the_quick_look(platform, made, page):
    """Whose the repository is stands in a document that no restore reads."""
    path = platform.catalogue.storage.root / "main" / "stanza.json"
    data = path.read_bytes()
    path.unlink()
    try:
        with pytest.raises(Corrupt, match=r"stanza\.json"):
            check(quick=True)
        assert "is missing, though there are backups" in page("repository-report-main")
    finally:
        path.write_bytes(data)
