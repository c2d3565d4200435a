"""Verbs of the installation itself: `up`, `down`, `status`."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, NoReturn

import psutil

from flows.verbs.output import AsJson, say, screen, show_table
from tasks.control import settings
from tasks.control.errors import Refused, Transient
from tasks.control.prefect_server import POOL, PrefectServer, Process, free_port
from tasks.control.settings import Settings
from tasks.postgres.embedded import Home, open_home, operated, start_control


NOTE = "up.json"
"""In the home while `up` runs: its process and port."""

STOP_S = 60

CLOCK_S = 5
"""By so much the start of one process may seem to move when the clock is set."""


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
    process = server.start()
    try:
        yield server, process
    finally:
        stop(process.pid)


def up() -> None:
    """Run everything: control cluster, Prefect server, worker, deployments. Ctrl-C stops it."""
    known = settings.load()
    home = open_home(known)
    running = note(home)
    if running:
        raise Refused(
            "it is up already",
            seen=f"process {running['pid']} at {running['url']}",
            expected="one `up` for a home",
            do="use that one, or hl7ops down",
        )
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _interrupt_once)
    try:
        _run(home, known)
    except KeyboardInterrupt:
        screen.print("Stopped.")


def _interrupt_once(*_: object) -> NoReturn:
    """Begin to stop; whoever presses Ctrl-C again does not break the stopping off."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(home: Home, known: Settings) -> None:
    with ExitStack() as stack:
        stack.callback(home.control.stop)
        stack.callback(home.primary.stop)
        server, process = stack.enter_context(prefect(home, known.hl7ops_port))
        stack.callback((home.path / NOTE).unlink, missing_ok=True)
        written = {"pid": os.getpid(), "begun": _begun(os.getpid()), "url": server.url}
        (home.path / NOTE).write_text(json.dumps(written))
        screen.print("Starting Prefect; the first time takes a minute.")
        server.await_health(process)
        server.prepare(known.stanza)
        operated(known, home)
        worker = server.spawn("worker", "start", "--pool", POOL, "--type", "process")
        stack.callback(stop, worker.pid)
        screen.print(f"[bold]Ready[/]: {server.url}   (Ctrl-C stops everything)")
        while worker.poll() is None and process.poll() is None:
            time.sleep(1)
    raise Transient(
        "Prefect's server or worker ended by itself", do=f"read the logs in {home.path}/prefect"
    )


def stop(pid: int) -> None:
    """End a program and all that it started, kindly at first."""
    try:
        first = psutil.Process(pid)
        family = [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    first.terminate()
    _, alive = psutil.wait_procs(family, timeout=STOP_S / 4)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(alive, timeout=STOP_S / 4)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def note(home: Home) -> dict[str, Any] | None:
    """Return process and address of the `up` that runs for this home, or None.

    After a crash its number may be somebody else's, who began at another time.
    """
    try:
        written: dict[str, Any] = json.loads((home.path / NOTE).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return written if abs(_begun(written["pid"]) - written["begun"]) < CLOCK_S else None


def _begun(pid: int) -> float:
    """Return when a process began, in seconds since 1970; 0 where there is none."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0


def down() -> None:
    """Stop whatever runs under this home."""
    home = open_home(settings.load())
    running = note(home)
    if running:
        _end(running["pid"])
        screen.print("stopped Prefect")
    for name, cluster in (("primary", home.primary), ("control", home.control)):
        if cluster.stop():
            screen.print(f"stopped the {name} cluster")


def _end(pid: int) -> None:
    """Let the `up` of a home stop itself.

    Raises:
        Transient: it did not, in time.

    """
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        process.terminate()
        try:
            process.wait(STOP_S)
        except psutil.TimeoutExpired:
            raise Transient(
                "Prefect does not stop", seen=f"process {pid} after {STOP_S} s", do="try again"
            ) from None


def status(*, as_json: AsJson = False) -> None:
    """Say what runs under this home, and where it keeps its things."""
    known = settings.load()
    home = open_home(known)
    running = note(home)
    document = {
        "home": str(home.path),
        "stanza": known.stanza,
        "operated": "embedded" if known.database_url is None else "DATABASE_URL",
        "primary": home.primary.pid(),
        "control": home.control.pid(),
        "prefect": running["url"] if running else None,
    }

    def text() -> None:
        for name, value in document.items():
            screen.print(f"{name:<10} {value or 'not running'}")

    say(document, text, as_json=as_json)


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


VERBS: tuple[Callable[..., None], ...] = (up, down, status)
