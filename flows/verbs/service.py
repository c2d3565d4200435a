"""Verbs of the installation itself: `up`, `down`, `status`."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated, NoReturn

import typer

from flows.verbs.output import AsJson, say, screen, show_table
from tasks.control import notices, running, settings
from tasks.control.errors import Refused, Transient
from tasks.control.events import NOTICES
from tasks.control.prefect_server import POOL, PrefectServer, Process, free_port
from tasks.control.settings import Settings
from tasks.postgres.embedded import Home, open_home, operated, start_control
from tasks.recovery.restoring import running_copies


@contextmanager
def prefect(home: Home, first_port: int) -> Iterator[tuple[PrefectServer, Process]]:
    """Run a Prefect server on the control cluster while the block runs; it is healthy later.

    The control cluster is left running, as embedded clusters are.
    """
    control = start_control(home).parameters()
    database = (
        f"postgresql+asyncpg://{control['user']}@/{control['dbname']}"
        f"?host={control['host']}&port={control['port']}"
    )
    port = free_port(first_port)
    if port != first_port:
        screen.print(f"Port {first_port} is in use; taking {port}. Set HL7OPS_PORT to choose.")
    server = PrefectServer(port, home.path, database)
    running.write_note(home.path, server.url)
    process = server.start()
    try:
        yield server, process
    finally:
        running.end(process.pid)


def up() -> None:
    """Run everything: control cluster, Prefect server, worker, deployments. Ctrl-C stops it."""
    known = settings.load()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _interrupt_once)
    try:
        _run(open_home(known), known)
    except KeyboardInterrupt:
        screen.print("Stopped.")


def _interrupt_once(*_: object) -> NoReturn:
    """Begin to stop; whoever presses Ctrl-C again does not break the stopping off."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(home: Home, known: Settings) -> None:
    with running.sole(home.path), ExitStack() as stack:
        stack.callback(home.control.stop)
        stack.callback(home.primary.stop)
        server, process = stack.enter_context(prefect(home, known.hl7ops_port))
        screen.print("Starting Prefect; the first time takes a minute.")
        server.await_health(process)
        server.prepare(known.stanza, known.proof_pool)
        operated(known, home)
        worker = server.spawn("worker", "start", "--pool", POOL, "--type", "process")
        stack.callback(running.end, worker.pid)
        screen.print(f"[bold]Ready[/]: {server.url}   (Ctrl-C stops everything)")
        while worker.poll() is None and process.poll() is None:
            time.sleep(1)
    raise Transient(
        "Prefect's server or worker ended by itself", do=f"read the logs in {home.path}/prefect"
    )


def down() -> None:
    """Stop whatever runs under this home."""
    home = open_home(settings.load())
    if running.end_noted(home.path) or running.end_strays(home.path):
        screen.print("stopped Prefect")
    for name, cluster in (("primary", home.primary), ("control", home.control)):
        if cluster.stop():
            screen.print(f"stopped the {name} cluster")
    for copy in running_copies.of_home(home):
        if copy.stop():
            screen.print(f"stopped the copy {copy.path}")


def status(*, as_json: AsJson = False) -> None:
    """Say what runs under this home, and where it keeps its things."""
    known = settings.load()
    home = open_home(known)
    noted = running.note(home.path)
    document = {
        "home": str(home.path),
        "stanza": known.stanza,
        "operated": "embedded" if known.database_url is None else "DATABASE_URL",
        "primary": home.primary.pid(),
        "control": home.control.pid(),
        "prefect": noted["url"] if noted else None,
        "copies": [str(copy.path) for copy in running_copies.of_home(home)],
    }

    def text() -> None:
        for name, value in document.items():
            told = ", ".join(value) if isinstance(value, list) else value
            screen.print(f"{name:<10} {told or 'not running'}")

    say(document, text, as_json=as_json)


def notify(
    block: Annotated[str, typer.Argument(help="Type and name, such as slack-webhook/on-call.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Let a notification block of Prefect be told of what analytics finds."""
    known = settings.load()
    noted = running.note(open_home(known).path)
    if not noted:
        raise Refused("Prefect does not run under this home", do="hl7ops up, then again")
    notices.arm(f"{noted['url']}/api", known.stanza, block)
    document = {"stanza": known.stanza, "block": block, "events": list(NOTICES)}
    said = f"{block} is told of: {'; '.join(NOTICES.values())}"
    say(document, lambda: screen.print(said), as_json=as_json)


def show_settings(*, as_json: AsJson = False) -> None:
    """List every setting: what is in force here, and what it means."""
    known = settings.load()
    document = {
        name.upper(): {"value": getattr(known, name), "meaning": field.description}
        for name, field in Settings.model_fields.items()
    }

    def text() -> None:
        rows = [
            (name, "" if each["value"] is None else each["value"], each["meaning"])
            for name, each in document.items()
        ]
        show_table("Settings in force", ("setting", "value", "meaning"), rows)

    say(document, text, as_json=as_json)


VERBS: tuple[Callable[..., None], ...] = (up, down, status, notify)
