"""The steps of the backup runbooks."""

from datetime import datetime
from typing import TypeAlias

from tasks.backup import cleanup, seal_options, take, wal
from tasks.backup.retention import Cleaned
from tasks.backup.wal import Pulled
from tasks.control.phases import Progress
from tasks.control.steps import step
from tasks.repository.check import check
from tasks.repository.copying import Copier, Copies
from tasks.repository.coverage import Interval
from tasks.repository.findings import Inspection
from tasks.repository.model import Backup, BackupType
from tasks.repository.proof import Proof
from tasks.repository.stanza import Stanza


Kind: TypeAlias = BackupType
"""The kinds of backup that a runbook's form offers."""


@step("take", run_name="take {kind} backup of {stanza.name}")
def take_backup(stanza: Stanza, kind: Kind, progress: Progress) -> Backup:
    """Take a backup; a retry takes it anew, since nothing of a broken one is kept."""
    return take.take(stanza, kind, progress=progress)


@step("clean up", run_name="clean up {stanza.name}")
def clean_up(stanza: Stanza, *, dry_run: bool = False) -> Cleaned:
    """Remove what the retention plan lets go."""
    return cleanup.cleanup(stanza, dry_run=dry_run)


@step("unchanged tables", run_name="unchanged tables of {backup.id}")
def unchanged_tables(stanza: Stanza, backup: Backup) -> list[str]:
    """Return the tables whose digests were taken over from an earlier seal."""
    if not backup.seal.reused:
        return []
    tables = seal_options.fingerprint_of(stanza, backup).tables
    return [f"{table.name} from {table.taken_from}" for table in tables if table.taken_from]


@step("copy", run_name="copy {wanted} to other repositories")
def copy_backup(stanza: Stanza, wanted: str, progress: Progress) -> dict[str, Copies]:
    """Copy a backup with its chain and WAL to the other repositories; none is fine."""
    return {
        name: Copier(stanza.catalogue, stanza.repositories[name], progress).run([wanted])
        for name in stanza.others
    }


@step("copy WAL", run_name="copy WAL of {stanza.name}")
def copy_wal(stanza: Stanza) -> dict[str, Copies]:
    """Copy the WAL that the other repositories lack."""
    return {
        name: Copier(stanza.catalogue, stanza.repositories[name]).wal() for name in stanza.others
    }


@step("clean up elsewhere", run_name="clean up other repositories of {stanza.name}")
def clean_up_others(stanza: Stanza, *, dry_run: bool = False) -> dict[str, Cleaned]:
    """Remove from the other repositories what their own retention lets go."""
    return {name: cleanup.cleanup(stanza.at(name), dry_run=dry_run) for name in stanza.others}


@step("check", run_name="check repository {stanza.repository} of {stanza.name}")
def check_repository(stanza: Stanza, quick: bool, progress: Progress) -> Inspection:  # noqa: FBT001
    """Hold everything in a repository against what its documents say."""
    return check(stanza.catalogue, quick=quick, progress=progress)


@step("pull WAL", run_name="pull WAL of {stanza.name}")
def pull_wal(stanza: Stanza) -> Pulled:
    """Archive what the server has written since the last pull."""
    return wal.pull(stanza, stanza.server())


@step(name="find", run_name="find {wanted}")
def find_backup(stanza: Stanza, wanted: str) -> Backup:
    """Return a backup of the catalogue."""
    return stanza.catalogue.get(wanted)


@step(name="WAL coverage", run_name="WAL coverage of {stanza.name}")
def wal_coverage(stanza: Stanza) -> list[Interval]:
    """Return what the archive covers, without asking the server."""
    return wal.coverage(stanza)


@step(name="WAL advice", run_name="WAL advice of {stanza.name}")
def wal_advice(stanza: Stanza) -> str | None:
    """Return what to change before the server loses WAL, or its disk fills up."""
    return wal.advice(stanza.server())


@step(name="last proof", run_name="last proof of {stanza.name}")
def last_proof(stanza: Stanza) -> datetime | None:
    """Return when a backup was last proven as wanted, by last proofs that can be believed."""
    catalogue = stanza.catalogue
    last = catalogue.last_proofs(backup.id for backup in catalogue.backups()).values()
    ends = [p.finished_at for p in last if isinstance(p, Proof) and p.is_as_wanted]
    return max(ends, default=None)
