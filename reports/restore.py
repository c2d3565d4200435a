"""The report of a restore: what was asked for, what was planned, and what was reached."""

from dataclasses import dataclass
from datetime import datetime

from reports.page import counted, duration, page, size, table
from tasks.control.clock import exact, readable
from tasks.postgres.lsn import spell
from tasks.recovery.planning.plan import Plan
from tasks.recovery.restoring.restored import Restored
from tasks.recovery.restoring.restored_configuration import FOLDER
from tasks.recovery.snapshots.wanted import Wanted


@dataclass
class Recovery:
    """What has happened so far in one run of a restore."""

    stanza: str
    target: str
    started_at: datetime
    plan: Plan | Wanted | None = None
    done: Restored | None = None
    error: str | None = None


def report(recovery: Recovery) -> str:
    """Return the page of a restore, also of one that broke off; the first line is the verdict."""
    return page(
        _verdict(recovery),
        f"> {recovery.error}" if recovery.error else None,
        _reached(recovery.done) if recovery.done else None,
        _planned(recovery.plan) if recovery.plan else None,
        f"Asked for {recovery.target}; begun {readable(recovery.started_at)}.",
    )


def _verdict(recovery: Recovery) -> str:
    known = recovery.done or recovery.plan
    warned = _warned(known) if known else ""
    if recovery.done:
        state = "can be written" if recovery.done.is_promoted else "read-only"
        return f"# RESTORED: stanza {recovery.stanza} to {recovery.done.target}, {state}{warned}"
    if recovery.error:
        return f"# NOT RESTORED: stanza {recovery.stanza}{warned}"
    return f"# PLANNED: stanza {recovery.stanza} to {recovery.target}; nothing was touched{warned}"


def _warned(known: Plan | Wanted | Restored) -> str:
    """Say what is warned of, for the first line; of what is accepted only that something is."""
    accepted = counted(len(known.accepted), "fault") if not isinstance(known, Wanted) else ""
    said = [*([f"{accepted} accepted"] if accepted and known.accepted else []), *known.warnings]
    return f"; WARNING: {'; '.join(said)}" if said else ""


def _reached(done: Restored) -> str:
    rows = [
        *reached_rows(done),
        ("where", f"`{done.path}`"),
        ("kept aside", f"`{done.previous}`" if done.previous else "nothing was there"),
    ]
    follow = [
        f"`hl7ops restored promote {done.path}` lets it be written" if not done.is_promoted else "",
        f"`hl7ops restored stop {done.path}` stops it, so that you can start it your own way",
        f"`hl7ops restored undo {done.path}` puts back what was there" if done.previous else "",
    ]
    steps = "\n".join(f"- {step}" for step in follow if step)
    return page("## What was reached", table(["what", ""], rows), steps).strip()


def reached_rows(done: Restored) -> list[tuple[str, str]]:
    """Say what was asked for, what was reached, and what it took."""
    last = done.last_transaction_at
    return [
        ("asked for", done.target),
        ("reached", done.stop),
        *(("replayed to", each) for each in _replayed(done)),
        *([("last transaction", exact(last))] if last else []),
        ("from", done.backup),
        *(("warning", each) for each in done.warnings),
        *(("accepted", each) for each in done.accepted),
        *(("configuration", each) for each in _elsewhere(done)),
        *(("differs", each) for each in done.differences),
        *(("left out", each) for each in done.left_out),
        ("took", duration(sum(done.seconds.values()))),
        *((name, duration(seconds)) for name, seconds in done.seconds.items()),
    ]


def _elsewhere(done: Restored) -> list[str]:
    """Say where the configuration lies that the source had outside of its data directory."""
    folder = done.beside / FOLDER
    return [f"{folder}, as the source had it elsewhere"] if folder.is_dir() else []


def _replayed(done: Restored) -> list[str]:
    """Say how far WAL was replayed; what was loaded has replayed none."""
    is_loaded = done.backup.startswith("snapshot-")
    return [] if is_loaded else [f"{done.lsn} on timeline {done.timeline}"]


def _planned(plan: Plan | Wanted) -> str:
    rows = plan_rows(plan) if isinstance(plan, Plan) else snapshot_rows(plan)
    return page("## The plan", table(["what", ""], rows)).strip()


def plan_rows(plan: Plan) -> list[tuple[str, str]]:
    """Say what a restore does: what it begins with, replays, reads and needs."""
    stop, wal = plan.stop, plan.segments
    position = spell(stop.position) if stop else plan.backup.stop_lsn
    expected = (
        f"{duration(plan.copy_seconds)} for the copy, by its last proof, and the replay"
        if plan.copy_seconds
        else "not known: this backup was never verified"
    )
    return [
        *(("warning", each) for each in plan.warnings),
        *(("accepted", each) for each in plan.accepted),
        ("ends at", stop.told if stop else "as soon as it is consistent"),
        ("position", f"{position} on timeline {plan.timeline}"),
        ("last transaction", plan.last.told if plan.last else "none after the backup"),
        ("begins with", " + ".join(link.id for link in plan.chain)),
        ("WAL", f"{wal[0].name} to {wal[-1].name}, {counted(len(wal), 'segment')}"),
        ("read", size(plan.fetched_bytes)),
        ("room", size(plan.needed_bytes)),
        ("takes", expected),
        ("configuration", plan.configuration),
        *(("passed over", each) for each in plan.passed_over),
    ]


def snapshot_rows(plan: Wanted) -> list[tuple[str, str]]:
    """Say what is loaded of a snapshot."""
    backup = plan.backup
    return [
        *(("warning", each) for each in plan.warnings),
        ("loads", str(plan.selection)),
        ("as of", exact(backup.seal.taken_at)),
        ("from", f"{backup.id}, of PostgreSQL {backup.server_version // 10000}"),
        ("databases", ", ".join(plan.databases)),
        ("read", size(plan.fetched_bytes)),
        ("room", f"{size(plan.needs.bytes)} at most"),
    ]
