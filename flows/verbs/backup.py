"""Verbs of the backup chain: `backup`, `verify`, `backups`, `cleanup`.

None of them needs a Prefect server, and `backups`, `verify`, `cleanup` need no operated server.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.verbs import documents
from flows.verbs.output import AsJson, Repository, progress, say, screen, show_table
from reports.page import counted, size
from tasks.control import clock, settings
from tasks.control.errors import OpsError
from tasks.control.settings import Depth
from tasks.repository.model import Backup, BackupType
from tasks.repository.proof import Proof
from tasks.repository.stanza import Stanza, open_stanza


SHOWN = 20
"""So many objects that could not be sealed are named; the proof names more of them."""

backup_app = typer.Typer(no_args_is_help=True, help="Take backups.")


def site(repository: str | None = None) -> Stanza:
    """Open the stanza that the settings name, at one of its repositories."""
    stanza = open_stanza(settings.load())
    return stanza.at(repository) if repository else stanza


@backup_app.command("full")
def backup_full(*, as_json: AsJson = False) -> None:
    """Take a full backup: one streaming pass, sealed, with all of its WAL."""
    _take("full", as_json=as_json)


@backup_app.command("differential")
def backup_differential(*, as_json: AsJson = False) -> None:
    """Take what has changed since the last full backup."""
    _take("differential", as_json=as_json)


@backup_app.command("incremental")
def backup_incremental(*, as_json: AsJson = False) -> None:
    """Take what has changed since the newest backup."""
    _take("incremental", as_json=as_json)


@backup_app.command("snapshot")
def backup_snapshot(*, as_json: AsJson = False) -> None:
    """Dump every database in one snapshot: for one-database restores and other versions."""
    _take("snapshot", as_json=as_json)


def _take(kind: BackupType, *, as_json: bool) -> None:
    from tasks.backup.take import take  # noqa: PLC0415

    stanza = site()
    with progress(quiet=as_json) as tell:
        made = take(stanza, kind, progress=tell)
    say(documents.of_backup(made), lambda: _show_backup(stanza, made), as_json=as_json)


def _show_backup(stanza: Stanza, backup: Backup) -> None:
    seal = backup.seal
    screen.print(f"[bold]{backup.id}[/] is complete; [bold]not proven yet[/].")
    if backup.parent:
        screen.print(f"  built on {backup.parent}")
    screen.print(f"  {size(backup.bytes_source)} read, {size(backup.bytes_stored)} stored")
    if backup.is_sealed:
        screen.print(f"  sealed ({seal.mode}): {seal.rows:,} rows at {seal.lsn}")
        for told in not_sealed(stanza, backup) if seal.skipped else ():
            screen.print(f"  not sealed: {told}", markup=False)
    else:
        screen.print(f"  [bold]not sealed[/]: {seal.problem}")
    screen.print(f"  next: hl7ops verify {backup.id}")


def not_sealed(stanza: Stanza, backup: Backup) -> list[str]:
    """Name what could not be sealed, each with the reason."""
    from tasks.backup.seal_options import fingerprint_of  # noqa: PLC0415

    try:
        found = fingerprint_of(stanza, backup)
    except OpsError:  # the backup is kept and told of, whatever can be read of it
        return [counted(backup.seal.skipped, "object")]
    omitted = [each for each in found.omitted if not each.is_expected]
    told = [each.told for each in omitted[:SHOWN]]
    return [*told, f"and {len(omitted) - SHOWN} more"] if len(omitted) > SHOWN else told


def verify(
    backup: Annotated[str, typer.Argument(help="Id of a backup, or `latest`.")] = "latest",
    repository: Repository = None,
    *,
    depth: Annotated[
        Depth | None,
        typer.Option(help="How deep; by default as PROOF_FULL and the like say."),
    ] = None,
    copy: Annotated[
        Path | None, typer.Option(help="Hold this restored directory against a seal instead.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="ID", help="The backup that --copy is held against.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove a backup: restore it into a scratch cluster and hold it against its seal."""
    if copy is not None:
        _verify_copy(copy, against or backup, repository, as_json=as_json)
        return
    from tasks.recovery.proving.verify import verify as prove  # noqa: PLC0415

    with progress(quiet=as_json) as tell:
        proof = prove(site(repository), backup, depth=depth, progress=tell)
    say(documents.of_proof(proof), lambda: _show_proof(proof), as_json=as_json)
    proof.require()


def _verify_copy(path: Path, backup: str, repository: str | None, *, as_json: bool) -> None:
    from tasks.recovery.proving.copy_comparison import compare, require_equal  # noqa: PLC0415

    checks = compare(site(repository), path.absolute(), backup)
    rows = [(c.tier, c.name, c.outcome, c.seen) for c in checks]
    document = {"copy": str(path), "against": backup, "checks": [vars(each) for each in checks]}
    title = f"{path} and the seal of {backup}"
    say(
        document,
        lambda: show_table(title, ("tier", "check", "outcome", "seen"), rows),
        as_json=as_json,
    )
    require_equal(path, checks)


def _show_proof(proof: Proof) -> None:
    rows = [(c.tier, c.name, c.outcome, c.seen) for c in proof.checks]
    show_table(f"{proof.backup}: {proof.verdict}", ("tier", "check", "outcome", "seen"), rows)


def backups(repository: Repository = None, *, as_json: AsJson = False) -> None:
    """List the backups with their last proof."""
    stanza = site(repository)
    catalogue = stanza.catalogue
    entries = catalogue.entries()
    proofs = catalogue.last_proofs(entry.id for entry in entries)
    lines = [documents.of_entry(catalogue, entry, proofs[entry.id]) for entry in entries]
    keeping = documents.of_keeping(catalogue)
    lines = [line | keeping(line["id"]) for line in lines]
    title = f"Backups of stanza {stanza.name} in {catalogue.storage.place}"
    say(lines, lambda: _show_backups(title, lines), as_json=as_json)


def _show_backups(title: str, lines: list[dict[str, Any]]) -> None:
    rows = [
        (
            each["id"],
            size(each["bytes_source"]) if "bytes_source" in each else "",
            size(each["bytes_stored"]) if "bytes_stored" in each else "",
            each.get("verdict", each["status"]),
            each.get("passed", "-"),
            clock.readable(each["verified_at"]) if each.get("verified_at") else "never",
            each.get("problem") or documents.kept_because(each),
        )
        for each in lines
    ]
    header = ("backup", "read", "stored", "verdict", "tiers passed", "verified", "remark")
    show_table(title, header, rows)


def cleanup(
    repository: Repository = None,
    *,
    dry_run: Annotated[bool, typer.Option(help="Show what would go, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove backups and WAL that the retention policy lets go."""
    from tasks.backup.cleanup import cleanup as clean  # noqa: PLC0415

    done = clean(site(repository), dry_run=dry_run)
    document = {
        "dry_run": dry_run,
        "decisions": [vars(decision) for decision in done.plan.decisions],
        "wal_segments": done.wal_segments,
        "leftovers": done.leftovers,
        "expired_pins": done.expired_pins,
        "freed_bytes": done.freed_bytes,
    }

    def text() -> None:
        gone = "would go" if dry_run else "removed"
        rows = [(d.backup, "keep" if d.keep else gone, d.reason) for d in done.plan.decisions]
        show_table("Retention", ("backup", "decision", "why"), rows)
        screen.print(
            f"{counted(done.wal_segments, 'WAL segment')} and"
            f" {counted(len(done.leftovers), 'leftover')} {gone}; {size(done.freed_bytes)} freed"
        )

    say(document, text, as_json=as_json)


VERBS: tuple[Callable[..., None], ...] = (verify, backups, cleanup)
