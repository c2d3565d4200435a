"""The report of retention: what is kept and why, what is gone, and what the WAL covers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reports.page import counted, details, page, size, table
from tasks.backup.retention import Cleaned
from tasks.control.clock import readable
from tasks.postgres.lsn import spell
from tasks.repository.coverage import Interval


@dataclass
class Upkeep:
    """What has happened so far in one run of the cleanup."""

    stanza: str
    started_at: datetime
    cleaned: Cleaned | None = None
    cleaned_elsewhere: dict[str, Cleaned] = field(default_factory=dict)
    wal: list[Interval] = field(default_factory=list)
    error: str | None = None


def report(upkeep: Upkeep) -> str:
    """Return the page of a cleanup, also of one that broke off; the first line is the verdict."""
    cleaned = upkeep.cleaned
    if cleaned is None:
        verdict = f"# NOT CLEANED UP: stanza {upkeep.stanza}"
    else:
        done, gone = ("DRY RUN", "to go") if cleaned.is_dry_run else ("CLEANED UP", "removed")
        plan = cleaned.plan
        verdict = f"# {done}: {counted(len(plan.keep), 'backup')} kept, {len(plan.drop)} {gone}"
    error = f"> {upkeep.error}" if upkeep.error else None
    begun = f"Begun {readable(upkeep.started_at)}."
    return page(
        verdict,
        error,
        kept(cleaned),
        pinned(cleaned),
        elsewhere(upkeep.cleaned_elsewhere),
        coverage(upkeep.wal),
        begun,
    )


def elsewhere(cleaned: Mapping[str, Cleaned]) -> str | None:
    """Say what is kept in the other repositories; nothing where there is none."""
    parts = [
        details(f"Kept in the repository `{name}`: {len(each.plan.keep)}", kept(each) or "")
        for name, each in cleaned.items()
    ]
    return page(*parts).strip() if parts else None


def kept(cleaned: Cleaned | None) -> str | None:
    """Say what became of each backup, and why; nothing where no cleanup was made."""
    if cleaned is None:
        return None
    gone = "would be removed" if cleaned.is_dry_run else "removed"
    rows = [
        (
            decision.backup,
            "keep" if decision.keep else gone,
            decision.reason,
            readable(decision.expires_at) if decision.expires_at else "-",
        )
        for decision in cleaned.plan.decisions
    ]
    expiries = [d.expires_at for d in cleaned.plan.decisions if d.keep and d.expires_at]
    freed = (
        f"{counted(len(cleaned.plan.drop), 'backup')},"
        f" {counted(cleaned.wal_segments, 'WAL segment')} and"
        f" {counted(len(cleaned.leftovers), 'leftover')} {gone}, {size(cleaned.freed_bytes)} freed."
    )
    due = f" The next expiry is on {readable(min(expiries))}." if expiries else ""
    header = ["backup", "decision", "why", "leaves the window"]
    return page("## What is kept", table(header, rows), freed + due).strip()


def pinned(cleaned: Cleaned | None) -> str | None:
    """Say which backups are pinned or held by law, why and until when; nothing where none is."""
    decisions = cleaned.plan.decisions if cleaned else []
    rows = [
        *(
            ("legal hold", each.backup, each.held, "it is released")
            for each in decisions
            if each.held
        ),
        *(
            ("pin", each.backup, each.pinned, _until(each.pinned_until))
            for each in decisions
            if each.pinned
        ),
    ]
    expired = cleaned.expired_pins if cleaned else []
    gone = "would be removed" if cleaned and cleaned.is_dry_run else "removed"
    ended = f"Expired pins {gone}: {', '.join(expired)}." if expired else None
    if not rows and ended is None:
        return None
    header = ["kept by", "backup", "why", "until"]
    return page("## Pins and legal holds", table(header, rows) if rows else None, ended).strip()


def _until(moment: datetime | None) -> str:
    return readable(moment) if moment else "it is unpinned"


def coverage(intervals: list[Interval], advice: str | None = None) -> str | None:
    """Say what the archived WAL covers, where it has gaps, and what to change; else nothing."""
    advised = f"> {advice}" if advice else None
    if not intervals:
        return page("## WAL coverage", advised).strip() if advised else None
    rows = [
        (each.first.timeline, each.first.name, each.last.name, each.count, before(each))
        for each in intervals
    ]
    gaps = sum(each.continues is None for each in intervals[1:])
    said = "No gap: every point from the oldest kept backup to the last segment can be reached."
    if gaps:
        said = f"**{counted(gaps, 'gap')}**: no point in a gap can be reached."
    header = ["timeline", "from", "to", "segments", "before it"]
    return page("## WAL coverage", advised, table(header, rows), said).strip()


def before(interval: Interval) -> str:
    """Say what lies before an interval: the timeline that it continues, or what is missing."""
    if interval.continues:
        parent = interval.continues
        return f"continues timeline {parent.timeline} at {spell(parent.position)}"
    if interval.gap:
        gap = interval.gap
        missing = f"{counted(gap.count, 'segment')} missing"
        return f"gap: {gap.first.name} to {gap.last.name}, {missing}"
    return "-"
