"""The report of the backup chain: was it proven, what did it take, what is kept."""

from dataclasses import dataclass, field
from datetime import datetime

from reports.chart import Bar, timeline
from reports.page import counted, details, duration, page, size, table
from reports.retention import coverage, elsewhere, kept
from tasks.backup.retention import Cleaned
from tasks.control.clock import readable
from tasks.control.proof_pool import HandedOver
from tasks.repository.copying import Copies
from tasks.repository.coverage import Interval
from tasks.repository.cycle import Cycle
from tasks.repository.model import Backup
from tasks.repository.proof import LEFT_OUT, TIERS, Proof, told_tiers
from tasks.repository.seal import Seal


@dataclass
class Chain:
    """What has happened so far in one run of the chain, filled in step by step."""

    stanza: str
    started_at: datetime
    backup: Backup | None = None
    proof: Proof | None = None
    cleaned: Cleaned | None = None
    wal: list[Interval] = field(default_factory=list)
    wal_advice: str | None = None
    error: str | None = None
    copies: dict[str, Copies] = field(default_factory=dict)
    cleaned_elsewhere: dict[str, Cleaned] = field(default_factory=dict)
    taken_over: list[str] = field(default_factory=list)
    handed_over: HandedOver | None = None
    cycle: Cycle | None = None

    @property
    def verdict(self) -> str:
        """One word: PROVEN, or why not."""
        if self.proof is not None and self.proof.verdict == "proven":
            return "PROVEN" if self.error is None else "PROVEN, BUT NOT COPIED AND CLEANED UP"
        if self.proof is not None and self.proof.verdict == "partial":
            return "PROVEN IN PART"
        if self.proof is not None:
            return "NOT PROVEN" if self.proof.verdict == "failed" else "COULD NOT BE PROVEN"
        if self.handed_over is not None:
            return "TAKEN, TO BE PROVEN"
        return "TAKEN, NOT PROVEN" if self.backup is not None else "NO BACKUP"


def report(chain: Chain) -> str:
    """Return the page of a chain, also of one that broke off; the first line is the verdict."""
    subject = chain.backup.id if chain.backup else f"stanza {chain.stanza}"
    return page(
        f"# {chain.verdict}: {subject}",
        _headline(chain),
        f"> {chain.error}" if chain.error else None,
        _facts(chain),
        _timings(chain),
        _not_compared(chain.proof),
        _checks(chain.proof),
        _unchanged(chain.taken_over),
        _copies(chain.copies),
        kept(chain.cleaned),
        elsewhere(chain.cleaned_elsewhere),
        coverage(chain.wal, chain.wal_advice),
        _definitions(chain),
    )


def _headline(chain: Chain) -> str:
    if chain.backup is None:
        return "There is no new backup."
    if chain.proof is None:
        return _unproven(chain)
    if chain.proof.verdict == "proven":
        return "It was restored, and what was restored equals its seal."
    if chain.proof.verdict == "partial":
        return _partly(chain.backup, chain.proof)
    named = ", ".join(dict.fromkeys(check.name for check in chain.proof.failed))
    said = f"What did not pass: {named or 'checks are missing'}."
    if chain.proof.recovers:
        return f"{said} Its bytes are sound: it recovers, and a restore of it is not refused."
    return said


def _unproven(chain: Chain) -> str:
    """Say who proves a backup that was not proven here."""
    handed = chain.handed_over
    if handed is None:
        return "It was taken, but not verified: nobody knows whether it restores."
    return (
        f"Its proof is made by run *{handed.name}* on work pool *{handed.pool}*; how it ends stands"
        f" in the report `verify-report-{chain.stanza}`."
    )


def _partly(backup: Backup, proof: Proof) -> str:
    """Say what a proof that found nothing wrong leaves open."""
    if not backup.is_sealed:
        return f"It recovers; its contents are not proven: {backup.seal.problem or 'no seal'}."
    if proof.depth != "contents":
        return f"It passed all tiers down to *{proof.depth}*, as deep as was wanted."
    if proof.is_as_wanted:
        return "The share of the tables that is due today is equal; the others have days of theirs."
    return "What was compared is equal; what was not is named below."


def _not_compared(proof: Proof | None) -> str | None:
    """Name what a proof did not compare, and what it leaves out on purpose."""
    if proof is None:
        return None
    rows = [
        (check.name, check.seen)
        for check in proof.checks
        if check.outcome == "partial" or check.name == LEFT_OUT
    ]
    return page("## Not compared", table(["check", "what"], rows)).strip() if rows else None


def _facts(chain: Chain) -> str | None:
    backup = chain.backup
    if backup is None:
        return None
    seal = backup.seal
    took = (backup.finished_at - backup.started_at).total_seconds()
    rows = [
        ("Stanza", chain.stanza),
        ("Type", f"{backup.type}, built on {backup.parent}" if backup.parent else backup.type),
        ("Taken", f"{readable(backup.started_at)}, in {duration(took)}"),
        ("Size", f"{size(backup.bytes_source)}, stored as {size(backup.bytes_stored)}"),
        ("Sealed", _sealed(seal)),
        ("Restore point", f"`{seal.restore_point}` at {seal.lsn}" if seal.restore_point else "-"),
    ]
    if backup.configuration_problem:
        rows.append(("Configuration", f"not kept in full: {backup.configuration_problem}"))
    if chain.proof is not None:
        spent = sum(chain.proof.seconds.values())
        rows.append(("Restored and checked", f"in {duration(spent)}"))
        rows.append(("Tiers passed", told_tiers(chain.proof)))
    if chain.cycle is not None:
        rows.append(("Compared", chain.cycle.told))
    return table(["what", "value"], rows)


def _sealed(seal: Seal) -> str:
    if seal.mode == "none":
        return f"not sealed: {seal.problem}"
    return f"{seal.tables} tables, {seal.rows:,} rows ({_way(seal)}){_taken_over(seal)}"


def _way(seal: Seal) -> str:
    """Say how the moment of the seal was caught, and how long writers were kept out for it."""
    held = f", writers kept out for {seal.held_ms:.0f} ms" if seal.held_ms is not None else ""
    return f"{seal.mode}{held}"


def _taken_over(seal: Seal) -> str:
    """Say which digests were not computed now, and where those were that were."""
    said = [
        f"{counted(seal.reused, 'digest')} of unchanged tables taken over" if seal.reused else "",
        f"{counted(seal.skipped, 'object')} not sealed" if seal.skipped else "",
        f"share {seal.share.number + 1} of {seal.share.of}" if seal.share.of > 1 else "",
        f"{counted(len(seal.later), 'later restore point')}" if seal.later else "",
        "digested on the standby" if seal.digested_on == "standby" else "",
    ]
    return "".join(f"; {part}" for part in said if part)


def _timings(chain: Chain) -> str | None:
    """Draw the phases of the take and the tiers of the proof one after the other."""
    phases = (
        [(name, "backup", spent) for name, spent in chain.backup.phases.items()]
        if chain.backup
        else []
    )
    tiers = (
        [(name, "proof", spent) for name, spent in chain.proof.seconds.items()]
        if chain.proof
        else []
    )
    bars, at = [], 0.0
    for name, group, spent in phases + tiers:
        bars.append(Bar(name, group, at, at + spent))
        at += spent
    if not bars:
        return None
    told = ", ".join(f"{bar.name} {duration(bar.end - bar.start)}" for bar in bars)
    return f"## What took how long\n\n{timeline(bars, told)}"


def _checks(proof: Proof | None) -> str | None:
    if proof is None:
        return None
    rows = []
    for tier in TIERS:
        checks = [check for check in proof.checks if check.tier == tier]
        bad = [check for check in checks if check.outcome != "pass"]
        worst = proof.outcome(tier) or "pass"
        verdict = worst if worst in ("pass", "partial") else worst.upper()
        said = "; ".join(f"{check.name}: {check.seen}" for check in bad) or counted(
            len(checks), "check"
        )
        rows.append((tier, verdict if checks else "not run", said if checks else "-"))
    every = table(
        ["tier", "check", "outcome", "seen"],
        [(check.tier, check.name, check.outcome, check.seen) for check in proof.checks],
    )
    summary = f"All {len(proof.checks)} checks"
    return page(
        "## Checks", table(["tier", "outcome", "what"], rows), details(summary, every)
    ).strip()


def _unchanged(taken_over: list[str]) -> str | None:
    """Name the tables whose digests were taken over, since WAL shows that they did not change."""
    if not taken_over:
        return None
    lines = "\n".join(f"- `{name}`" for name in taken_over)
    return details(f"Unchanged since an earlier seal: {counted(len(taken_over), 'table')}", lines)


def _copies(copies: dict[str, Copies]) -> str | None:
    """Say what was copied where; it is not proven there by that."""
    if not copies:
        return None
    rows = [
        (name, len(done.backups), done.segments, size(done.bytes)) for name, done in copies.items()
    ]
    said = "What was copied is what was kept, byte by byte. That it restores, a proof there shows."
    return page("## Copies", table(["to", "backups", "WAL segments", "size"], rows), said).strip()


def _definitions(chain: Chain) -> str:
    return details(
        "What the words mean",
        "*Proven*: the backup was restored into a scratch cluster, recovered to the restore point"
        " that was written when it was sealed, and every table's row count and digest, the"
        " structure, the sequences and the counted facts of the platform equal the seal."
        " *Sealed (locked)*: the seal was taken while no table could be written; *(quiet)*: in an"
        " instant in which nobody wrote; *(bounded)*: neither was to be had, and the copy was held"
        f" against bounds. Chain begun {readable(chain.started_at)}.",
    )
