"""What `--json` says of backups, proofs and WAL; the keys stand in the README."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tasks.control.clock import readable
from tasks.control.errors import Corrupt
from tasks.postgres.lsn import spell
from tasks.repository.catalogue import Catalogue
from tasks.repository.coverage import Gap, Interval
from tasks.repository.history import Switch
from tasks.repository.model import Backup, BackupId, Damaged
from tasks.repository.partial import Partial
from tasks.repository.proof import TIERS, Proof, told_tiers, word_of


def of_backup(backup: Backup) -> dict[str, Any]:
    """Describe a complete backup."""
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
            "tables": seal.tables,
            "rows": seal.rows,
            "seconds": seal.seconds,
            "held_ms": seal.held_ms,
            "not_sealed": seal.skipped,
            "later": [{"restore_point": each.name, "lsn": each.lsn} for each in seal.later],
            "problem": seal.problem,
        },
    }


def of_entry(
    catalogue: Catalogue, entry: Backup | Damaged, proof: Proof | Damaged | None
) -> dict[str, Any]:
    """Describe one line of the catalogue; a record that cannot be believed hides no other."""
    if isinstance(entry, Damaged):
        return {"id": entry.id, "status": "damaged", "problem": entry.problem}
    return of_backup(entry) | {
        "verdict": word_of(entry, proof),
        "tiers": list(proof.passed_tiers) if isinstance(proof, Proof) else [],
        "passed": told_tiers(proof),
        "verified_at": proof.finished_at if isinstance(proof, Proof) else None,
        **_problem(catalogue, entry, proof),
    }


def _problem(catalogue: Catalogue, entry: Backup, proof: Proof | Damaged | None) -> dict[str, str]:
    """Say what else is to be known of the proofs of a backup; nothing where there is nothing."""
    if isinstance(proof, Damaged):
        return {"problem": proof.problem}
    try:
        broken = [each for each in catalogue.proofs(entry.id)[-1:] if each.verdict == "error"]
    except Corrupt as error:
        return {"problem": str(error)}
    if broken and broken[0] != proof:
        at = readable(broken[0].started_at)
        return {"problem": f"the verification at {at} could not be finished"}
    if not entry.is_sealed:
        return {"problem": f"no seal: {entry.seal.problem or 'not taken'}"}
    return {}


def of_keeping(catalogue: Catalogue) -> Callable[[BackupId], dict[str, Any]]:
    """Return what says of a backup why it is pinned, until when, and why it is held by law."""
    pins, reasons, held = (
        catalogue.pins.known(),
        catalogue.pins.reasons(),
        catalogue.legal.reasons(),
    )

    def keeping(backup: BackupId) -> dict[str, Any]:
        pin = pins.get(backup)
        return {
            "pinned": reasons.get(backup),
            "pinned_until": pin.expires_at if pin else None,
            "held": held.get(backup),
        }

    return keeping


def kept_because(line: Mapping[str, Any]) -> str:
    """Say in a few words why a backup is pinned or held; nothing where it is neither."""
    until = f" until {readable(line['pinned_until'])}" if line["pinned_until"] else ""
    return "; ".join(
        [
            *([f"legal hold: {line['held']}"] if line["held"] else []),
            *([f"pinned{until}: {line['pinned']}"] if line["pinned"] else []),
        ]
    )


def of_proof(proof: Proof) -> dict[str, Any]:
    """Describe a verification: its verdict, its tiers and each check."""
    return {
        "id": proof.backup,
        "verdict": proof.verdict,
        "started_at": proof.started_at,
        "finished_at": proof.finished_at,
        "tiers": [
            {
                "tier": tier,
                "outcome": proof.outcome(tier) or "not run",
                "seconds": proof.seconds.get(tier),
            }
            for tier in TIERS
        ],
        "checks": [vars(check) for check in proof.checks],
        "failed": [f"{check.name}: {check.seen}" for check in proof.failed],
    }


def of_coverage(intervals: Sequence[Interval]) -> list[dict[str, Any]]:
    """Describe what archived WAL covers, and what lies before each interval."""
    return [
        {
            "timeline": each.first.timeline,
            "from": each.first.name,
            "to": each.last.name,
            "segments": each.count,
            "continues": _of_switch(each.continues),
            "gap": _of_gap(each.gap),
        }
        for each in intervals
    ]


def _of_switch(switch: Switch | None) -> dict[str, Any] | None:
    return {"timeline": switch.timeline, "at": spell(switch.position)} if switch else None


def _of_gap(gap: Gap | None) -> dict[str, Any] | None:
    if gap is None:
        return None
    return {"from": gap.first.name, "to": gap.last.name, "segments": gap.count}


def of_partial(partial: Partial | None, now: datetime) -> dict[str, Any] | None:
    """Describe the unfinished segment as far as it is kept."""
    if partial is None:
        return None
    return {
        "segment": partial.segment.name,
        "reaches": partial.reaches,
        "kept_at": partial.kept_at,
        "age_seconds": max(round((now - partial.kept_at).total_seconds()), 0),
    }
