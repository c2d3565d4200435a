"""The backup runbook under a real Prefect API."""

import pytest

from flows.backup import backup
from flows.verify import verify
from tasks.control.errors import Corrupt, Refused
from tasks.repository.model import BackupId


def test_a_backup_is_taken_proven_cleaned_up_and_reported(platform, page):
    """The whole chain ends well, and the first line of its report is the verdict."""
    made = backup()
    assert platform.catalogue.proofs(made)[-1].verdict == "proven"
    text = page("backup-report-main")
    assert text.splitlines()[0] == f"# PROVEN: {made}"
    assert "![reserve WAL" in text
    assert "data:image/svg+xml;base64," in text
    assert "| contents | pass |" in text
    assert "younger than 30 days" in text
    assert "No gap" in text


def test_a_backup_that_is_refused_is_reported_as_none(platform, page):
    """A second backup at the same time is refused by name, and its report says so first."""
    hold = platform.catalogue.storage.hold
    with (
        hold("backup", shared=False, stanza="main"),
        pytest.raises(Refused, match="backup is in use"),
    ):
        backup()
    text = page("backup-report-main")
    assert text.splitlines()[0] == "# NO BACKUP: stanza main"
    assert "backup is in use" in text


def test_a_failed_proof_stops_the_chain_before_cleanup(platform, page):
    """F17: an index that does not fit its table, as after a change of collation, is found.

    Nothing is cleaned up then, and no event says that a backup was verified.
    """
    with platform.server().connect() as connection:
        connection.execute("create table fruit (name text)")
        connection.execute("insert into fruit values ('apple'), ('Banana')")
        connection.execute(
            "create function sorted(text) returns text immutable language sql return lower($1)"
        )
        connection.execute("create index fruit_sorted on fruit (sorted(name))")
        connection.execute(
            "create or replace function sorted(text) returns text immutable language sql"
            " return upper($1)"
        )
    with pytest.raises(Corrupt, match="tables and indexes are sound"):
        backup()
    text = page("backup-report-main")
    assert text.splitlines()[0].startswith("# NOT PROVEN: full-")
    assert "fruit_sorted" in text
    assert "## What is kept" not in text
    with platform.server().connect() as connection:
        connection.execute("drop table fruit")


def test_a_backup_that_was_damaged_since_is_found_by_verify(platform, page):
    """One flipped byte in the repository makes the run fail and names the object."""
    made = backup()
    name = f"{platform.catalogue.prefix(BackupId(made))}base.tar.zst"
    path = platform.catalogue.storage.root / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(Corrupt, match=r"base\.tar\.zst"):
        verify(backup=made)
    assert page("verify-report-main").splitlines()[0].startswith(f"# NOT PROVEN: {made}")
