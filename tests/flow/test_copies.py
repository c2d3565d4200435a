"""The runbooks of a stanza that keeps backups in a directory and in S3, under a real API."""

import pytest

from flows.backup import backup
from flows.cleanup import cleanup
from flows.verify import verify
from flows.wal import wal
from tasks.control import settings
from tasks.repository.stanza import open_stanza


@pytest.fixture
def both(platform, s3_settings, monkeypatch):
    """Set a bucket beside the directory, as an operator does."""
    for name, value in s3_settings.items():
        monkeypatch.setenv(name.upper(), value)
    monkeypatch.setenv("BACKUP_DIR", str(platform.catalogue.storage.root))
    return open_stanza(settings.load())


def test_a_backup_is_copied_and_its_copy_can_be_proven(both, page):
    """The report says what went where; the copy is unproven until it is proven there."""
    made = backup()
    text = page("backup-report-main")
    assert text.startswith(f"# PROVEN: {made}")
    assert "## Copies" in text
    assert "| s3 |" in text
    assert "Kept in the repository `s3`: 1" in text
    assert both.at("s3").catalogue.last_proof(made) is None
    assert verify(repository="s3") == made
    assert both.at("s3").catalogue.last_proof(made).verdict == "proven"


def test_wal_follows_every_minute_and_cleanup_goes_through_both(both, page):
    """What is pulled is copied; each repository has its own plan in the report."""
    backup()
    with both.server().connect() as connection:
        connection.execute("select pg_logical_emit_message(false, 'test', 'x')")
    assert wal() > 0
    there, here = (both.repositories[name] for name in ("s3", "local"))
    claim = here.claimed()
    assert max(there.archive(claim).kept()) == max(here.archive(claim).kept())
    assert cleanup(dry_run=True) == 0
    assert "Kept in the repository `s3`" in page("cleanup-report-main")


def test_a_snapshot_is_taken_by_the_same_runbook(platform, page):
    """Its kind is one of those that the form offers."""
    made = backup(kind="snapshot")
    text = page("backup-report-main")
    assert text.startswith(f"# PROVEN: {made}")
    assert "| Type | snapshot |" in text
