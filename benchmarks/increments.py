"""Incremental backups after 1, 5 and 10 % of the messages changed, against what had to change."""

from dataclasses import dataclass, field

from benchmarks import pages
from benchmarks.contest import Contest, Entry, by_barman, by_ours, by_pgbackrest
from benchmarks.rivals.barman import Barman
from benchmarks.rivals.ground import Ground
from benchmarks.rivals.ours import Ours
from benchmarks.rivals.pgbackrest import PgBackRest
from benchmarks.scale import ROUNDS
from benchmarks.timing import Times
from tasks.postgres import lsn


PERCENTS = (1, 5, 10)

CHANGES = min(ROUNDS, 3)
"""How often so many rows are changed; each time every tool takes one backup."""


@dataclass
class Found:
    """What the backups after changes of one size took, of one tool."""

    times: Times = field(default_factory=Times)
    shares: list[float] = field(default_factory=list)


def by_blocks(on: Ground, rival: Barman, ours: Ours) -> None:
    """Compare native incremental backups, which both take from the server."""
    print("on PostgreSQL 18, incremental")
    rival.backup("full")  # the measured ones are deleted
    full = Contest({"hl7ops": by_ours(ours), "Barman, plain": by_barman(rival)})
    entries = {
        "hl7ops": by_ours(ours, "incremental"),
        "Barman, plain": by_barman(rival, "incremental"),
    }
    _measure(on, full, entries)


def by_files(on: Ground, rival: PgBackRest, ours: Ours) -> None:
    """Measure pgBackRest's, which copies changed files whole; this project has but full ones."""
    print("on PostgreSQL 15, incremental; hl7ops needs 17 for that: its full backup beside it")
    full = Contest({"hl7ops, full": by_ours(ours), "pgBackRest": by_pgbackrest(rival)})
    entries = {"hl7ops, full": by_ours(ours), "pgBackRest": by_pgbackrest(rival, "incremental")}
    _measure(on, full, entries)


def _measure(on: Ground, full: Contest, entries: dict[str, Entry]) -> None:
    whole = full.hold(CHANGES)
    for percent in PERCENTS:
        contest = Contest(entries)
        found = {name: Found() for name in entries}
        for _ in range(CHANGES):
            count = change(on, percent)
            for name, times in contest.hold(1).items():
                found[name].times.seconds += times.seconds
                found[name].times.peak_mb = max(found[name].times.peak_mb, times.peak_mb)
                found[name].shares.append(contest.stored[name] / (count * pages.PAGE))
        print(f"  {percent} % of the messages changed: {count * pages.PAGE / 1e6:,.1f} MB of pages")
        for name, each in found.items():
            _show(name, each, contest.stored[name], whole[name].median)


def _show(name: str, found: Found, stored: int, whole: float) -> None:
    share = sorted(found.shares)[len(found.shares) // 2]
    part = 100 * found.times.median / whole
    print(
        f"    {name:<20} {found.times!s:<26} {part:4.0f} % of a full one's time"
        f"   peak {found.times.peak_mb:5,.0f} MB"
        f"   stored {stored / 1e6:8,.1f} MB, {share:5.2f} x the changed pages"
    )


def change(on: Ground, percent: int) -> int:
    """Change messages that lie evenly among the others; return how many pages that changed."""
    since = lsn.parse(on.value("select pg_current_wal_lsn()"))
    on.execute(
        f"update hl7.messages set attempts = attempts + 1 where id % 100 < {percent}",
        "checkpoint",
    )
    return pages.changed(on.cluster.data, since)
