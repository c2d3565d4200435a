"""What follows a restore: `restored promote`, `stop`, `undo`, and `loss`; none needs Prefect."""

from pathlib import Path
from typing import Annotated

import typer

from flows.verbs.backup import site
from flows.verbs.output import AsJson, say, screen, show_table
from flows.verbs.restore import local_zone, of_restored
from reports.page import counted, duration
from tasks.control import clock
from tasks.control.errors import Refused
from tasks.recovery.loss.loss import Loss, loss
from tasks.recovery.planning import target as targets
from tasks.recovery.restoring import restored, running_copies
from tasks.recovery.restoring.directory import normal


restored_app = typer.Typer(no_args_is_help=True, help="Go on with a restored copy, or undo it.")

COLUMNS = ("directory", "process", "what")

Directory = Annotated[Path, typer.Argument(help="The data directory of the copy.")]


@restored_app.command("promote")
def restored_promote(path: Directory, *, as_json: AsJson = False) -> None:
    """Let a paused copy be written; it goes its own way from then on, on a timeline of its own."""
    done = restored.promote(restored.find(normal(path)))
    say(of_restored(done), lambda: screen.print(f"{path} can be written"), as_json=as_json)


@restored_app.command("stop")
def restored_stop(
    path: Annotated[
        Path | None, typer.Argument(help="The data directory of the copy; none lists what runs.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Stop every copy of this home.")] = False,
    as_json: AsJson = False,
) -> None:
    """Stop a copy, also one that is half made, so that it can be started as your servers are."""
    if path is None:
        _stop_those_of_home(every=every, as_json=as_json)
        return
    place = normal(path)
    stopped = [copy.stop() for copy in running_copies.at(place)]
    if restored.exists(place) or not stopped:
        stopped.append(restored.stop(restored.find(place)))
    document = {"path": str(place), "ran": any(stopped)}
    say(document, lambda: screen.print(f"{path} is stopped"), as_json=as_json)


def _stop_those_of_home(*, every: bool, as_json: bool) -> None:
    """List the copies that run for this home, and stop them where that is wanted."""
    found = [each for each in running_copies.of_home(site().home) if each.kind != "scratch"]
    stopped = [str(each.path) for each in found if every and each.stop()]
    running = [{"path": str(each.path), "pid": each.pid, "kind": each.kind} for each in found]
    document = {"running": [] if every else running, "stopped": stopped}

    def text() -> None:
        rows = [tuple(map(str, each.values())) for each in running]
        show_table("Copies that were stopped" if every else "Copies that run", COLUMNS, rows)

    say(document, text, as_json=as_json)


@restored_app.command("undo")
def restored_undo(path: Directory, *, as_json: AsJson = False) -> None:
    """Put back the cluster that `restore --replace` moved aside; the copy is kept, too."""
    aside = restored.undo(restored.find(normal(path)))
    document = {"path": str(normal(path)), "copy": str(aside)}
    say(
        document,
        lambda: screen.print(f"{path} is what it was; the copy is {aside}"),
        as_json=as_json,
    )


@restored_app.command("loss")
def restored_loss(
    path: Directory,
    incident: Annotated[str, typer.Option(help="When the source was lost, with its zone.")],
    *,
    compare: Annotated[
        bool, typer.Option(help="List the messages that the operated server has, and it has not.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say how much a copy lacks: seconds by the heartbeat, and messages to be asked for again."""
    moment = targets.parse(incident, local_zone()).at
    if moment is None:
        raise Refused("an incident is a time", seen=incident, expected="2026-11-24T03:00:00+01:00")
    stanza = site()
    source = stanza.server() if compare else None
    copy = restored.find(normal(path)).server
    database = stanza.located.parameters()["dbname"]
    found = loss(copy.database(database), moment, source)
    document = {
        "incident": found.incident,
        "last_heartbeat_at": found.last.at,
        "seconds": found.seconds,
        "messages": None if found.messages is None else [vars(each) for each in found.messages],
    }
    say(document, lambda: _show_loss(found), as_json=as_json)


def _show_loss(found: Loss) -> None:
    screen.print(
        f"[bold]{duration(found.seconds)}[/] lost: the last beat was {clock.exact(found.last.at)}"
    )
    if found.messages is None:
        screen.print("  --compare lists the messages, where the operated server can still be read")
        return
    rows = [
        (each.connection, each.control_id or "-", clock.exact(each.received_at))
        for each in found.messages
    ]
    title = f"{counted(len(rows), 'message')} to be asked for again"
    show_table(title, ("connection", "control id", "received"), rows)
