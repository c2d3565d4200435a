"""Verbs of archived WAL: `wal pull`, `wal status`, `wal stream`; none needs a Prefect server."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from flows.verbs import documents
from flows.verbs.backup import site
from flows.verbs.output import AsJson, errors, say, screen, show_table
from reports.page import counted, duration, size
from reports.retention import before
from tasks.backup import wal
from tasks.backup.streaming import Streamed, stream
from tasks.backup.wal import WalStatus
from tasks.control import clock


wal_app = typer.Typer(no_args_is_help=True, help="Archive WAL between backups.")


@wal_app.command("pull")
def wal_pull(*, as_json: AsJson = False) -> None:
    """Archive what the server has written since the last pull."""
    stanza = site()
    done = wal.pull(stanza, stanza.server())
    document = {
        "segments": done.segments,
        "reaches": done.reaches,
        "streaming": done.is_streaming,
        "coverage": documents.of_coverage(done.intervals),
    }

    def text() -> None:
        reached = f"the archive reaches {done.reaches or 'nothing yet'}"
        new = counted(done.segments, "new segment")
        screen.print(f"{'streaming is on' if done.is_streaming else new}; {reached}")
        for interval in done.intervals:
            if interval.gap:
                screen.print(f"  {before(interval)}: no point in it can be reached")

    say(document, text, as_json=as_json)


@wal_app.command("stream")
def wal_stream(
    *,
    seconds: Annotated[float | None, typer.Option(help="End after so many seconds.")] = None,
    as_json: AsJson = False,
) -> None:
    """Archive WAL while it is written, until Ctrl-C; the loss of a disaster is then seconds."""
    stanza, last = site(), [Streamed()]
    with _line(quiet=as_json) as show:

        def tell(now: Streamed) -> None:
            last[0] = now
            show(now)

        try:
            stream(stanza, stanza.server(), seconds=seconds, tell=tell)
        except KeyboardInterrupt:
            errors.print("stopped; what was not archived is kept by the server")
    say(vars(last[0]), lambda: screen.print(_streamed(last[0])), as_json=as_json)


@wal_app.command("status")
def wal_status(*, as_json: AsJson = False) -> None:
    """Tell how far the archive is behind the server, and where it has gaps."""
    stanza = site()
    now = wal.status(stanza, stanza.server())
    say(_document(now), lambda: _show(now), as_json=as_json)


def _document(now: WalStatus) -> dict[str, Any]:
    return {
        "slot": now.slot,
        "slot_status": now.slot_status,
        "held_bytes": now.held_bytes,
        "safe_bytes": now.safe_bytes,
        "advice": now.advice,
        "streaming": now.is_streaming,
        "partial": documents.of_partial(now.partial, clock.now()),
        "archived_to": now.archived_to,
        "written_to": now.written_to,
        "behind_bytes": now.behind_bytes,
        "coverage": documents.of_coverage(now.intervals),
    }


def _show(now: WalStatus) -> None:
    held = f", holds back {size(now.held_bytes)}" if now.held_bytes is not None else ""
    screen.print(f"slot {now.slot or 'none'}: {now.slot_status or 'not there'}{held}")
    if now.advice:
        screen.print(f"[bold]advice[/]: {now.advice}")
    screen.print(f"written to {now.written_to}, archived to {now.archived_to or 'nothing'}")
    screen.print(f"streaming is {'on' if now.is_streaming else 'off'}")
    if now.partial:
        age = (clock.now() - now.partial.kept_at).total_seconds()
        reach = f"{now.partial.segment.name} up to {now.partial.reaches}"
        screen.print(f"unfinished segment {reach}, kept {duration(max(age, 0))} ago")
    rows = [
        (each.first.timeline, each.first.name, each.last.name, each.count, before(each))
        for each in now.intervals
    ]
    header = ("timeline", "from", "to", "segments", "before it")
    show_table("WAL coverage", header, rows)


@contextmanager
def _line(*, quiet: bool) -> Iterator[Callable[[Streamed], None]]:
    """Yield what shows how far a stream is, in one line of a terminal."""
    if quiet or not errors.is_terminal:
        yield lambda _now: None
        return
    with errors.status("catching up") as status:
        yield lambda now: status.update(_streamed(now))


def _streamed(now: Streamed) -> str:
    unfinished = f", the unfinished one up to {now.partial}" if now.partial else ""
    breaks = f"; {counted(now.breaks, 'break')}" if now.breaks else ""
    whole = f"{counted(now.segments, 'segment')} streamed, up to {now.reaches or 'nothing yet'}"
    return f"{whole}{unfinished}{breaks}"
