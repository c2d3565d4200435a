"""The backup runbook."""

from prefect import flow

from blocks.stanza import load_stanza
from reports.backup import Chain, report
from reports.publish import progress, reporting
from tasks.backup.steps import (
    Kind,
    clean_up,
    clean_up_others,
    copy_backup,
    take_backup,
    unchanged_tables,
    wal_advice,
    wal_coverage,
)
from tasks.control import clock, events
from tasks.recovery.steps import hand_over_proof, proof_cycle, verify_backup


@flow(name="backup", flow_run_name="{kind} backup of {stanza}", timeout_seconds=12 * 3600)
def backup(stanza: str = "main", kind: Kind = "full") -> str:
    """Take a backup, prove it by a restore, copy it, clean up, report.

    **Purpose.** A backup that is known to restore, and room for the next one.

    **Starts** by schedule, a full one daily and an incremental one every four hours, or by hand
    after a change that should not be lost.

    **The proof** is made here, or, where `PROOF_POOL` names a work pool, by a run of
    `verify/on-demand` on it, which the chain does not wait for.

    **Copies** go to the other repository, where both a directory and a bucket are set. What is
    copied is checked byte by byte; that it restores from there, `verify/on-demand` proves.

    **Preconditions.** The cluster answers; the repository has room for a backup, and the home for
    a copy of the cluster. Only one backup of a stanza runs at a time. What is not full needs
    PostgreSQL 17 with `summarize_wal = on`, and a sound full backup.

    **A person decides** nothing while it runs. Where the proof fails, the chain stops before
    anything is removed: read the report, run `verify/on-demand` again, take another backup.

    **Undo.** There is nothing to undo: the operated cluster is only read.

    Args:
        stanza: Name of the operated cluster; its blocks bear the same name.
        kind: All of it, what changed since the last full one, what changed since the newest, or
            a dump of each database.

    """
    site, chain = load_stanza(stanza), Chain(stanza, clock.now())
    with reporting(f"backup-report-{stanza}", chain, report):
        chain.backup = take_backup(site, kind, progress(f"backup-{stanza}"))
        chain.taken_over = unchanged_tables(site, chain.backup)
        chain.handed_over = hand_over_proof(site, chain.backup.id)
        if not chain.handed_over:
            chain.proof = verify_backup(site, chain.backup.id, progress(f"verify-{stanza}"))
            chain.cycle = proof_cycle(site)
            chain.proof.require()
            if chain.proof.is_as_wanted:
                events.emit(events.VERIFIED, stanza, {"backup": chain.backup.id})
        chain.copies = copy_backup(site, chain.backup.id, progress(f"copy-{stanza}"))
        chain.cleaned = clean_up(site)
        chain.cleaned_elsewhere = clean_up_others(site)
        chain.wal = wal_coverage(site)
        chain.wal_advice = wal_advice(site)
    return chain.backup.id
