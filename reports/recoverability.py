"""The scoreboard: what can be recovered, how long it takes, and how surely that is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reports.page import counted, duration, page, size, table
from tasks.control.clock import readable
from tasks.recovery.drill.outcome import Drill
from tasks.recovery.drill.score import Trend
from tasks.recovery.drill.standing import Standing
from tasks.repository.model import Backup, Damaged
from tasks.repository.proof import Proof, told_tiers, word_of


LISTED = 20
"""How many backups and drills are listed."""


@dataclass
class Board:
    """Everything that the scoreboard is made from."""

    stanza: str
    now: datetime
    rto_s: float
    rpo_s: float
    standing: Standing | None = None
    error: str | None = None


def report(board: Board) -> str:
    """Return the page; the first line is the verdict, the worst of what is known."""
    known = board.standing
    return page(
        f"# {_verdict(board)}",
        f"> {board.error}" if board.error else None,
        _headlines(board, known) if known else None,
        _trend(board, known.score.trend) if known and known.score.trend else None,
        _drills(known.drills) if known and known.drills else None,
        _proofs(board, known) if known and known.proofs else None,
        f"As of {readable(board.now)}.",
    )


def problems(board: Board) -> list[str]:
    """List what stands against calling the stanza recoverable, the worst first."""
    known = board.standing
    if board.error or known is None:
        return ["the scoreboard could not be made"]
    found = []
    if known.window is None or known.window.earliest is None:
        found.append("nothing can be recovered")
    if not known.drills:
        return [*found, "no drill was ever made"]
    if known.drills[-1].verdict != "passed":
        found.append("the last drill did not pass")
    if known.score.missed:
        found.append(f"{counted(known.score.missed, 'weekly drill')} missed")
    if (known.score.p95_s or 0) > board.rto_s:
        found.append(f"restores take longer than {duration(board.rto_s)}")
    if (known.score.exposed_p95_s or 0) > board.rpo_s:
        found.append(f"a disaster costs more than {duration(board.rpo_s)}")
    return found


def _verdict(board: Board) -> str:
    found = problems(board)
    if found or board.standing is None:
        return f"NOT PROVEN RECOVERABLE: stanza {board.stanza}: {'; '.join(found)}"
    score = board.standing.score
    drills = counted(score.drills, "drill")
    return f"RECOVERABLE: stanza {board.stanza}, in {duration(score.p95_s or 0)} by {drills}"


def _headlines(board: Board, known: Standing) -> str:
    score = known.score
    window = f"Can be recovered: {known.window.told if known.window else 'nothing'}."
    rows = [("compared", known.cycle.told)] if known.cycle else []
    if score.drills:
        times = (score.p50_s or 0, score.p95_s or 0, board.rto_s)
        lost = (score.exposed_p50_s, score.exposed_p95_s, board.rpo_s)
        told = ", ".join("not known" if each is None else duration(each) for each in lost)
        sure = f"95 % sure that at least {100 * score.share:.1f} % of the window restores"
        passed = f"{score.passed} of {counted(score.drills, 'random drill')} passed"
        rows += [
            ("takes (p50, p95, objective)", ", ".join(map(duration, times))),
            ("loses (p50, p95, objective)", told),
            ("how sure", f"{sure} ({passed})"),
            ("last drill", readable(score.last_at) if score.last_at else "never"),
            ("missed", counted(score.missed, "weekly drill")),
        ]
    return page(window, table(["what", ""], rows) if rows else None).strip()


def _trend(board: Board, trend: Trend) -> str:
    more = f"{duration(trend.seconds_per_byte * 1e9)} more for each GB"
    growth = f"{size(max(trend.bytes_per_day, 0) * 7)} a week"
    said = f"A restore takes {more}, and the cluster grows by {growth}."
    return page("## Trend", f"{said} {_forecast(trend, board)}").strip()


def _forecast(trend: Trend, board: Board) -> str:
    objective = f"{duration(board.rto_s)} are passed at {size(max(trend.limit_bytes, 0))}"
    if trend.due is None:
        return f"{objective}, which is more than ten years away."
    weeks = max(round((trend.due - board.now) / timedelta(weeks=1)), 0)
    return f"**{objective}, in about {counted(weeks, 'week')}.**"


def _drills(drills: Sequence[Drill]) -> str:
    rows = [
        (
            readable(each.started_at),
            each.verdict,
            each.backup or "-",
            each.target or "-",
            duration(each.rto_s) if each.rto_s else "-",
            each.fault or "-",
        )
        for each in reversed(drills[-LISTED:])
    ]
    header = ["when", "verdict", "backup", "point", "took", "fault, found where it passed"]
    return page("## Drills", table(header, rows)).strip()


def _proofs(board: Board, known: Standing) -> str:
    rows = [(each.id, *_proof(each, last, board.now)) for each, last in known.proofs[-LISTED:]]
    header = ["backup", "verdict", "age of the proof", "tiers passed"]
    return page("## Backups", table(header, rows)).strip()


def _proof(backup: Backup, last: Proof | Damaged | None, now: datetime) -> tuple[str, str, str]:
    if isinstance(last, Damaged):
        return "damaged", "-", "-"
    age = duration((now - last.finished_at).total_seconds()) if last else "-"
    return word_of(backup, last), age, told_tiers(last)
