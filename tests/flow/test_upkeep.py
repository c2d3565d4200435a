"""The runbooks beside the backup: WAL, cleanup, the dead-man's alarm; and what blocks change."""

import time

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import BlockDocumentUpdate

from blocks.cluster import PostgresCluster
from blocks.repository import BackupRepository
from flows.cleanup import cleanup
from flows.overdue import overdue
from flows.verify import verify as prove
from flows.wal import wal
from tasks.backup.take import take
from tasks.backup.wal import coverage
from tasks.control.clock import readable
from tasks.control.errors import Refused
from tasks.postgres import slot
from tasks.recovery.proving.verify import verify


def test_wal_is_archived_and_a_second_pull_finds_nothing_new(platform):
    """What was written is archived; where nothing was written, nothing is."""
    with platform.server().connect() as connection:
        connection.execute("create table if not exists written (at timestamptz)")
        connection.execute("insert into written values (now())")
    assert wal() >= 1
    assert wal() == 0


def test_a_dry_cleanup_says_what_a_real_one_does(platform, page):
    """Nothing is old enough to go, and both runs say so."""
    take(platform)

    def kept():
        text = page("cleanup-report-main")
        return text.partition("## What is kept")[2].partition("## WAL coverage")[0]

    assert cleanup(dry_run=True) == 0
    dry = kept()
    assert "0 leftovers would be removed" in dry
    assert cleanup() == 0
    assert page("cleanup-report-main").startswith("# CLEANED UP: 1 backup kept, 0 removed")
    assert kept() == dry.replace("would be removed", "removed")


def test_an_edited_block_changes_the_next_run(platform, page):
    """The window that is set in the UI is the one that the next cleanup keeps."""
    PostgresCluster().save("main", overwrite=True)
    BackupRepository(retention_days=30).save("main", overwrite=True)
    take(platform)
    cleanup()
    assert "younger than 30 days" in page("cleanup-report-main")
    with get_client(sync_client=True) as client:
        document = client.read_block_document_by_name("main", "hl7ops-backup-repository")
        client.update_block_document(
            document.id, BlockDocumentUpdate(data={"retention_days": 7}, merge_existing_data=True)
        )
        cleanup()
        client.delete_block_document(document.id)
    assert "younger than 7 days" in page("cleanup-report-main")


def test_secret_fields_of_a_block_are_kept_secret(platform):
    """Who reads a cluster's block without permission for secrets sees no password."""
    PostgresCluster(database_url="postgresql://someone:open-sesame@localhost/hl7").save("other")
    with get_client(sync_client=True) as client:
        document = client.read_block_document_by_name(
            "other", "hl7ops-postgres-cluster", include_secrets=False
        )
    assert "open-sesame" not in str(document.data)


def test_the_alarm_fails_in_plain_sight(platform):
    """The run that the dead-man's switch starts names the last proof and what to do."""
    with pytest.raises(Refused, match="none was ever proven"):
        overdue()


def test_the_alarm_names_the_last_proof(platform):
    """So that whoever is woken knows how old it is."""
    made = take(platform)
    assert verify(platform, made.id).verdict == "proven"
    last = platform.catalogue.proofs(made.id)[-1].finished_at
    with pytest.raises(Refused, match=f"the last one at {readable(last)}"):
        overdue()


def test_wal_that_is_missing_fails_the_run_by_name(platform):
    """A gap is no success of an archiver that keeps on running."""
    wal()
    missing, server = coverage(platform)[-1].last.next().name, platform.server()
    with server.connect() as connection:
        connection.execute("select pg_drop_replication_slot('hl7ops_main')")
        for _ in range(2):
            connection.execute("select pg_logical_emit_message(false, 'test', 'x')")
            connection.execute("select pg_switch_wal()")
        while missing in slot.present(server):  # until it is summarized
            connection.execute("checkpoint")
            time.sleep(0.1)
    with pytest.raises(Refused, match="WAL is missing between the archive and the server"):
        wal()
    take(platform)
    assert wal() >= 0


def test_what_is_not_there_cannot_be_verified(platform, page):
    """The report says so first."""
    with pytest.raises(Refused, match="there is no such backup"):
        prove(backup="full-20200101T000000Z")
    assert page("verify-report-main").splitlines()[0] == "# NO BACKUP: stanza main"


def test_a_stanza_that_cannot_be_is_refused(prefect_api, home):
    """Its name goes into paths and into names of slots."""
    with pytest.raises(Refused, match="hl7ops_stanza: String should match pattern"):
        wal(stanza="../other")
