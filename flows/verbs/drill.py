"""Verbs of rehearsals, and of what is known by them; none needs a Prefect server."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.verbs.backup import site
from flows.verbs.output import (
    AsJson,
    Repository,
    errors,
    progress,
    say,
    screen,
    show_table,
    write_page,
)
from reports.page import duration
from reports.recoverability import Board, problems, report
from reports.recovery_plan import gaps
from reports.recovery_plan import report as plan_page
from tasks.control import clock
from tasks.control.errors import Corrupt, OpsError
from tasks.recovery.bearings import bearings
from tasks.recovery.drill.outcome import Drill
from tasks.recovery.drill.standing import checked, seed, signed, standing
from tasks.recovery.drill.standing import evidence as history
from tasks.recovery.loss.heartbeat import Beat, keep_beating
from tasks.repository.pages import keep_pages
from tasks.repository.stanza import Stanza


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
    from reports.kept import files  # noqa: PLC0415
    from tasks.recovery.drill.rehearse import rehearse  # noqa: PLC0415

    stanza, done = site(repository), []
    with progress(quiet=as_json) as tell:
        for number in range(draws):
            each = rehearse(stanza, seed() if begin is None else begin + number, tell)
            history(stanza).keep(each, clock.now())
            done.append(each)
    board = _board(stanza)
    known = bearings(stanza, clock.now(), board.standing)
    keep_pages(stanza, files(board, known, signed(stanza)))
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
    html: Annotated[Path | None, typer.Option(help="Write the page to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what can be recovered, how long it takes, and how surely that is known."""
    stanza = site()
    board = _board(stanza)
    assert board.standing is not None  # noqa: S101 - it was looked at
    window, found = board.standing.window, problems(board)
    document = {
        "stanza": stanza.name,
        "recoverable": not found,
        "problems": found,
        "window": window.told if window else None,
        "score": asdict(board.standing.score),
        "drills": [_document(each) for each in board.standing.drills],
    }
    if html:
        write_page(html, report(board))
    say(document, lambda: screen.print(report(board), markup=False), as_json=as_json)
    if found:
        raise Corrupt(
            "not proven recoverable",
            stanza=stanza.name,
            seen="; ".join(found),
            do="hl7ops drill",
        )


def _board(stanza: Stanza) -> Board:
    now = clock.now()
    times = stanza.settings.rto_s, stanza.settings.rpo_s
    return Board(stanza.name, now, *times, standing(stanza, now))


def recovery_plan(
    *,
    html: Annotated[Path | None, typer.Option(help="Write the page to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what to do when something is lost, with the commands and places as they are now."""
    stanza = site()
    try:
        known = bearings(stanza, clock.now(), _board(stanza).standing)
    except (OpsError, OSError) as error:  # the plan is wanted all the more
        errors.print(f"the history of drills cannot be read: {error}", markup=False)
        known = bearings(stanza, clock.now(), None)
    page = plan_page(known)
    from rich.markdown import Markdown  # noqa: PLC0415

    if html:
        write_page(html, page)
    document = {"stanza": stanza.name, "gaps": gaps(known), "page": page}
    say(document, lambda: screen.print(Markdown(page)), as_json=as_json)


def evidence(
    *,
    check: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Hold an earlier export against the history."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the history of drills as a signed chain of hashes, or see that none was changed."""
    stanza = site()
    if check is None:
        print(signed(stanza))  # noqa: T201
        return
    entries = checked(stanza, check.read_bytes())
    said = f"{check}: signed, whole, and the history goes on from it ({entries:,} entries)"
    say({"entries": entries}, lambda: screen.print(said), as_json=as_json)


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


VERBS: tuple[Callable[..., None], ...] = (drill, recoverability, recovery_plan, evidence, heartbeat)
