"""Verbs of rehearsals: `drill` and `recoverability`; neither needs a Prefect server."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Annotated, Any

import typer

from flows.verbs.backup import site
from flows.verbs.output import AsJson, Repository, progress, say, screen, show_table
from reports.page import duration
from reports.recoverability import Board, problems, report
from tasks.control import clock
from tasks.control.errors import Corrupt
from tasks.recovery.drill.evidence import exported
from tasks.recovery.drill.outcome import Drill
from tasks.recovery.drill.standing import evidence, seed, standing
from tasks.recovery.loss.heartbeat import Beat, keep_beating


def drill(
    draws: Annotated[int, typer.Option(min=1, help="How many points are drawn.")] = 1,
    begin: Annotated[
        int | None, typer.Option("--seed", help="What determines the first; by default chance.")
    ] = None,
    repository: Repository = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Restore random points of the window, prove each copy, damage it, see that it is found."""
    from tasks.recovery.drill.rehearse import rehearse  # noqa: PLC0415

    stanza, done = site(repository), []
    with progress(quiet=as_json) as tell:
        for number in range(draws):
            each = rehearse(stanza, seed() if begin is None else begin + number, tell)
            evidence(stanza).keep(each, clock.now())
            done.append(each)
    say([_document(each) for each in done], lambda: _show(done), as_json=as_json)
    for each in done:
        each.require()


def _document(drill: Drill) -> dict[str, Any]:
    return {"verdict": drill.verdict, "rto_s": drill.rto_s, **asdict(drill)}


def _show(drills: list[Drill]) -> None:
    rows = [
        (
            each.verdict,
            each.backup,
            each.target,
            duration(each.rto_s) if each.rto_s else "-",
            each.fault or each.error or "-",
            each.seed,
        )
        for each in drills
    ]
    header = ("verdict", "backup", "point", "took", "fault brought in", "seed")
    show_table("Drills", header, rows)


def recoverability(
    *,
    evidence_of: Annotated[
        bool, typer.Option("--evidence", help="Print the history itself, a chain of hashes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what can be recovered, how long it takes, and how surely that is known."""
    stanza, now = site(), clock.now()
    if evidence_of:
        say(exported(evidence(stanza).records()), lambda: None, as_json=True)
        return
    objectives = 60.0 * stanza.settings.rto_minutes, 60.0 * stanza.settings.rpo_minutes
    board = Board(stanza.name, now, *objectives, standing(stanza, now))
    assert board.standing is not None  # noqa: S101 - given above
    window, found = board.standing.window, problems(board)
    document = {
        "stanza": stanza.name,
        "recoverable": not found,
        "problems": found,
        "window": window.told if window else None,
        "score": asdict(board.standing.score),
        "drills": [_document(each) for each in board.standing.drills],
    }
    say(document, lambda: screen.print(report(board), markup=False), as_json=as_json)
    if found:
        raise Corrupt(
            "not proven recoverable",
            stanza=stanza.name,
            seen="; ".join(found),
            do="hl7ops drill",
        )


def heartbeat(
    *,
    seconds: Annotated[float | None, typer.Option(help="End after so many seconds.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a row every second, until Ctrl-C, by which a loss can be measured afterwards."""
    stanza, beats = site(), [0]

    def tell(_: Beat) -> None:
        beats[0] += 1

    with suppress(KeyboardInterrupt):
        keep_beating(stanza.server(), seconds, tell)
    say({"beats": beats[0]}, lambda: screen.print(f"{beats[0]:,} beats"), as_json=as_json)


VERBS: tuple[Callable[..., None], ...] = (drill, recoverability, heartbeat)
