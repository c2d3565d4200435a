"""The report of an ingest: is everything that was offered accounted for, and what became of it."""

from dataclasses import dataclass
from datetime import datetime

from reports.page import page, table
from tasks.control.clock import readable
from tasks.hl7.ingest import Counts


@dataclass
class Load:
    """One ingest: into which stanza, since when, and the counts when it is through."""

    stanza: str
    started_at: datetime
    counts: Counts | None = None
    error: str | None = None


def report(load: Load) -> str:
    """Return the page; the first line says whether all that was offered is accounted for."""
    counts = load.counts
    if counts is None:
        return page(f"# NOT LOADED into {load.stanza}", f"> {load.error}")
    taken = counts.accepted + counts.duplicates + counts.quarantined
    verdict = "ACCOUNTED FOR" if taken == counts.offered else "NOT ACCOUNTED FOR"
    totals = [
        ("offered", counts.offered),
        ("accepted", counts.accepted),
        ("duplicates", counts.duplicates),
        ("quarantined", counts.quarantined),
    ]
    return page(
        f"# {verdict}: {counts.offered:,} offered, {counts.quarantined:,} quarantined",
        table(["", "messages"], totals),
        _listed("Accepted by type", "type", counts.by_type.most_common()),
        _listed("Quarantined, and why", "reason", counts.reasons.most_common()),
        _listed("Odd, but taken", "note", counts.notes.most_common()),
        _passed_over(counts.passed_over),
        f"Begun {readable(load.started_at)}.",
    )


def _passed_over(count: int) -> str | None:
    return f"Passed over in directories, since it is no file: {count:,}." if count else None


def _listed(title: str, kind: str, rows: list[tuple[str, int]]) -> str | None:
    return f"## {title}\n\n{table([kind, 'messages'], rows)}" if rows else None
