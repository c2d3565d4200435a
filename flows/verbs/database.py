"""Verbs that set one database of the live cluster back: `database restore`, `database rollback`."""

import sys
from shlex import quote
from typing import Annotated, Any

import typer

from flows.verbs.backup import site
from flows.verbs.output import AsJson, errors, progress, say, screen, show_table
from flows.verbs.restore import Exclusive, Point, Timeline, local_zone
from reports.database import differing, noted
from tasks.control.errors import Refused
from tasks.recovery.database import swap as swaps
from tasks.recovery.database.beside import Beside
from tasks.recovery.database.setting_back import SetBack, set_back
from tasks.recovery.planning import target as targets


database_app = typer.Typer(no_args_is_help=True, help="Set one database of the live cluster back.")

Name = Annotated[str, typer.Argument(help="The database.")]


@database_app.command("restore")
def database_restore(
    database: Name,
    target: Point,
    *,
    exclusive: Exclusive = False,
    timeline: Timeline = None,
    dry_run: Annotated[
        bool, typer.Option(help="Show what would change, and swap nothing.")
    ] = False,
    accept_differences: Annotated[
        bool, typer.Option(help="Swap it in also where it differs from what it was.")
    ] = False,
    yes: Annotated[
        str | None, typer.Option(metavar="DATABASE", help="Its name once more: do not ask.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set a database back to a point; the others go on, and one command undoes it."""
    if yes not in (None, database):
        raise Refused("--yes names another database", seen=yes, expected=database)
    if not dry_run and yes is None and not sys.stdin.isatty():
        raise Refused(
            "nobody is there to be asked",
            seen="no terminal",
            do=f"--dry-run shows what would change; --yes {database} does it",
        )
    wanted = targets.parse(target, local_zone(), inclusive=not exclusive, timeline=timeline)
    with progress(quiet=as_json) as tell:

        def approve(found: Beside) -> bool:
            if not as_json:
                _show_differences(found)
            if dry_run or yes:
                return not dry_run
            answer = typer.prompt("Its name, to swap it in", default="no", err=True)
            return bool(answer == database)

        done = set_back(site(), database, wanted, approve, tell, accepted=accept_differences)
    say(_document(done), lambda: _show(done), as_json=as_json)


def _show_differences(found: Beside) -> None:
    rows = [
        (each.table, _count(each.live), _count(each.restored))
        for each in differing(found.compared.differences)
    ]
    title = f"{found.database} now, and {found.origin.target}: tables that differ"
    show_table(title, ("table", "rows now", "rows then"), rows or [("none", "", "")])
    for note in [*(f"differs: {each}" for each in found.differing), *noted(found.compared)]:
        screen.print(note, markup=False)


def _count(rows: int | None) -> str:
    return "not there" if rows is None else f"{rows:,}"


def _document(done: SetBack) -> dict[str, Any]:
    found = done.beside
    return {
        "database": found.database,
        "target": found.origin.target,
        "backup": found.origin.backup,
        "stop": found.origin.stop,
        "last_transaction_at": found.origin.last_transaction_at,
        "differences": [vars(each) for each in differing(found.compared.differences)],
        "objects": list(found.compared.objects),
        "unlogged": list(found.compared.unlogged),
        "checks": [vars(check) for check in [*found.compared.checks, *done.checks]],
        "seconds": found.seconds,
        "swapped": vars(done.swapped) if done.swapped else None,
    }


def _show(done: SetBack) -> None:
    if done.swapped is None:
        screen.print("nothing was swapped, and nothing has changed")
        return
    name, previous = done.swapped.database, done.swapped.previous
    screen.print(f"[bold]{name}[/] is as it was; nobody could connect for {done.swapped.seconds} s")
    screen.print(
        f"  what was there is kept as {previous}; back: hl7ops database rollback {quote(name)}"
    )


@database_app.command("rollback")
def database_rollback(database: Name, *, as_json: AsJson = False) -> None:
    """Put back what was there before a database was set back; what was swapped in is kept."""
    stanza = site()
    done = swaps.roll_back(stanza.server(), database)

    def text() -> None:
        errors.print(
            f"{database} is what it was, after {done.seconds} s; drop {done.previous} when"
            " nobody wants to look at it any more"
        )

    say(vars(done), text, as_json=as_json)
