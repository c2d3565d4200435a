"""Verbs of the backup chain: `backup`, `wal`, `verify`, `backups`, `cleanup`, `pin`, `unpin`.

None of them needs a Prefect server, and `backups`, `verify`, `cleanup` need no operated server.
"""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from flows.verbs.output import AsJson, progress, say, screen, show_table
from reports.page import counted, size
from tasks.control import clock, settings
from tasks.repository.model import TIERS, Backup, BackupId, Pin, Proof
from tasks.repository.stanza import Stanza, open_stanza


backup_app = typer.Typer(no_args_is_help=True, help="Take backups.")
wal_app = typer.Typer(no_args_is_help=True, help="Archive WAL between backups.")


def site() -> Stanza:
    """Open the stanza that the settings name."""
    return open_stanza(settings.load())


@backup_app.command("full")
def backup_full(*, as_json: AsJson = False) -> None:
    """Take a full backup: one streaming pass, sealed, with all of its WAL."""
    from tasks.backup.take import full  # noqa: PLC0415

    with progress(quiet=as_json) as tell:
        made = full(site(), progress=tell)
    say(described(made), lambda: _show_backup(made), as_json=as_json)


def described(backup: Backup) -> dict[str, Any]:
    """Return what `--json` says of a backup."""
    seal = backup.seal
    return {
        "id": backup.id,
        "type": backup.type,
        "parent": backup.parent,
        "status": "complete",
        "bytes_source": backup.bytes_source,
        "bytes_stored": backup.bytes_stored,
        "started_at": backup.started_at,
        "finished_at": backup.finished_at,
        "start_lsn": backup.start_lsn,
        "stop_lsn": backup.stop_lsn,
        "timeline": backup.timeline,
        "system_identifier": backup.system_identifier,
        "server_version": backup.server_version,
        "phases": backup.phases,
        "seal": {
            "restore_point": seal.restore_point,
            "lsn": seal.lsn,
            "mode": seal.mode,
            "taken_at": seal.taken_at,
            "tables": len(seal.measure.tables),
            "rows": seal.measure.rows,
            "seconds": seal.seconds,
        },
    }


def _show_backup(backup: Backup) -> None:
    seal = backup.seal
    screen.print(f"[bold]{backup.id}[/] is complete; [bold]not proven yet[/].")
    screen.print(f"  {size(backup.bytes_source)} read, {size(backup.bytes_stored)} stored")
    screen.print(f"  sealed ({seal.mode}): {seal.measure.rows:,} rows, restore point at {seal.lsn}")
    screen.print(f"  next: hl7ops verify {backup.id}")


@wal_app.command("pull")
def wal_pull(*, as_json: AsJson = False) -> None:
    """Archive what the server has written since the last pull."""
    from tasks.backup import wal  # noqa: PLC0415

    stanza = site()
    done = wal.pull(stanza, stanza.server())
    document = {"segments": done.segments, "reaches": done.reaches, "coverage": _spans(done)}
    say(
        document,
        lambda: screen.print(f"{done.segments} new segments; the archive reaches {done.reaches}"),
        as_json=as_json,
    )


@wal_app.command("status")
def wal_status(*, as_json: AsJson = False) -> None:
    """Tell how far the archive is behind the server, and where it has gaps."""
    from tasks.backup import wal  # noqa: PLC0415

    stanza = site()
    now = wal.status(stanza, stanza.server())
    document = {
        "slot": now.slot,
        "slot_status": now.slot_status,
        "archived_to": now.archived_to,
        "written_to": now.written_to,
        "behind_bytes": now.behind_bytes,
        "coverage": _spans(now),
    }

    def text() -> None:
        screen.print(f"slot {now.slot or 'none'}: {now.slot_status or 'not there'}")
        screen.print(f"written to {now.written_to}, archived to {now.archived_to or 'nothing'}")
        header = ("timeline", "from", "to", "segments")
        rows = [tuple(span.values()) for span in _spans(now)]
        show_table("WAL coverage; what lies between two rows is missing", header, rows)

    say(document, text, as_json=as_json)


def _spans(source: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - whatever has intervals
    return [
        {
            "timeline": each.first.timeline,
            "from": each.first.name,
            "to": each.last.name,
            "segments": each.count,
        }
        for each in source.intervals
    ]


def verify(
    backup: Annotated[str, typer.Argument(help="Id of a backup, or `latest`.")] = "latest",
    *,
    as_json: AsJson = False,
) -> None:
    """Prove a backup: restore it into a scratch cluster and hold it against its seal."""
    from tasks.recovery.verify import verify as prove  # noqa: PLC0415

    with progress(quiet=as_json) as tell:
        proof = prove(site(), backup, progress=tell)
    say(proof_document(proof), lambda: _show_proof(proof), as_json=as_json)
    proof.require()


def proof_document(proof: Proof) -> dict[str, Any]:
    """Return what `--json` says of a proof."""
    outcomes = {
        tier: {check.outcome for check in proof.checks if check.tier == tier} for tier in TIERS
    }
    worst = {
        tier: next((o for o in ("fail", "error", "pass") if o in found), "not run")
        for tier, found in outcomes.items()
    }
    return {
        "id": proof.backup,
        "verdict": proof.verdict,
        "started_at": proof.started_at,
        "finished_at": proof.finished_at,
        "tiers": [
            {"tier": tier, "outcome": worst[tier], "seconds": proof.seconds.get(tier)}
            for tier in TIERS
        ],
        "checks": [vars(check) for check in proof.checks],
        "failed": [f"{check.name}: {check.seen}" for check in proof.failed],
    }


def _show_proof(proof: Proof) -> None:
    rows = [(c.tier, c.name, c.outcome, c.seen) for c in proof.checks]
    show_table(f"{proof.backup}: {proof.verdict}", ("tier", "check", "outcome", "seen"), rows)


def backups(*, as_json: AsJson = False) -> None:
    """List the backups with their last proof."""
    stanza = site()
    catalogue = stanza.catalogue
    pins = {pin.backup: pin.reason for pin in catalogue.pins()}
    documents = []
    for entry in catalogue.entries():
        if not isinstance(entry, Backup):
            documents.append({"id": entry.id, "status": "damaged", "problem": entry.problem})
            continue
        proofs = catalogue.proofs(entry.id)
        document = described(entry)
        document["verdict"] = proofs[-1].verdict if proofs else "unproven"
        document["verified_at"] = proofs[-1].finished_at if proofs else None
        document["pinned"] = pins.get(entry.id)
        documents.append(document)
    say(documents, lambda: _show_backups(stanza.name, documents), as_json=as_json)


def _show_backups(stanza: str, documents: list[dict[str, Any]]) -> None:
    rows = [
        (
            each["id"],
            f"{each['bytes_source']:,}" if "bytes_source" in each else "",
            f"{each['bytes_stored']:,}" if "bytes_stored" in each else "",
            each.get("verdict", each["status"]),
            clock.readable(each["verified_at"]) if each.get("verified_at") else "never",
            each.get("pinned") or each.get("problem") or "",
        )
        for each in documents
    ]
    header = ("backup", "bytes read", "bytes stored", "verdict", "verified", "pinned")
    show_table(f"Backups of stanza {stanza}", header, rows)


def cleanup(
    *,
    dry_run: Annotated[bool, typer.Option(help="Show what would go, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove backups and WAL that the retention policy lets go."""
    from tasks.backup.cleanup import cleanup as clean  # noqa: PLC0415

    done = clean(site(), dry_run=dry_run)
    document = {
        "dry_run": dry_run,
        "decisions": [vars(decision) for decision in done.plan.decisions],
        "wal_segments": done.wal_segments,
        "leftovers": done.leftovers,
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


def pin(
    backup: Annotated[str, typer.Argument(help="Id of the backup.")],
    reason: Annotated[str, typer.Option(help="Why it must be kept.")],
) -> None:
    """Keep a backup from retention."""
    site().catalogue.pin(Pin(BackupId(backup), reason, clock.now()))


def unpin(backup: Annotated[str, typer.Argument(help="Id of the backup.")]) -> None:
    """Let retention decide over a backup again."""
    site().catalogue.unpin(BackupId(backup))


VERBS: tuple[Callable[..., None], ...] = (verify, backups, cleanup, pin, unpin)
