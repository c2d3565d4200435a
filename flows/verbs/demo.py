"""The verb `demo`: the main job end to end, on real servers, in a minute or two."""

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from flows.verbs.output import screen, show_table
from flows.verbs.platform import show_counts
from flows.verbs.service import prefect
from reports.page import size
from tasks.control import running, settings
from tasks.control.errors import OpsError, Refused
from tasks.control.prefect_server import PrefectServer
from tasks.postgres.embedded import open_home
from tasks.recovery.proving.verify import verify
from tasks.repository.pages import FOLDER
from tasks.repository.s3.server import serving
from tasks.repository.stanza import Stanza, open_stanza


BUCKET = "backups"

SEED = 2026

END = datetime(2026, 11, 23, tzinfo=UTC)
"""The demo's traffic ends here, so that two demos show the same."""

REPORTS = ("executive", "clinical", "performance")

REPORTED = """
from flows.report import report
for kind in {kinds!r}:
    print(report({stanza!r}, kind, "{as_of:%Y-%m-%dT%H:%M%z}"))
"""

BROKEN = (
    b"\x0bMSH|^~\\&|LAB\r\x1c\r",
    b"\x0bPID|1||4711\r\x1c\r",
    b"\x0bMSH|^~\\&|LAB|HOSP|HL7OPS|HOSP|20261123||ORU^R01|X\0Y|P|2.5\r\x1c\r",
)
"""A truncated header, a message without one, and a NUL byte."""


def demo(
    messages: Annotated[int, typer.Option(min=100, help="How many to generate.")] = 5_000,
) -> None:
    """Load HL7, back up, prove by a restore, copy to S3, clean up and report, on real servers."""
    known = settings.load()
    home = open_home(known)
    if known.database_url is not None:
        raise Refused(
            "the demo writes into the platform, and DATABASE_URL is a server of yours",
            expected="the embedded cluster",
            do="unset DATABASE_URL for the demo",
        )
    began = time.monotonic()
    with (
        running.sole(home.path),
        serving(home.path / "s3", BUCKET) as store,
        prefect(home, known.hl7ops_port) as (server, process),
    ):
        both = {"backup_dir": str(home.path / "repository"), **store.settings}
        stanza = open_stanza(settings.load(**both))
        _load(stanza, messages)
        _heading("3. Prefect: back up, prove by a restore, copy to S3, clean up, report")
        server.await_health(process)
        _run(server, f"from flows.backup import backup; backup({known.stanza!r})", both)
        _heading("4. The copy in S3, proven there by a restore of its own")
        there = verify(stanza.at("s3"), "latest")
        screen.print(
            f"{there.backup} in {stanza.repositories['s3'].storage.place}: {there.verdict}"
        )
        there.require()
        _heading("5. Prefect: the reports of that day, each checked before it is published")
        _run(server, REPORTED.format(stanza=known.stanza, kinds=REPORTS, as_of=END), both)
    _show(stanza)
    pages = Path(both["backup_dir"], known.stanza, FOLDER)
    screen.print(f"\nThe reports: {', '.join(REPORTS)} in {pages}")
    screen.print(
        f"Done in {time.monotonic() - began:.0f} s. In Prefect they stand as well: make up"
    )


def _load(stanza: Stanza, messages: int) -> None:
    from tasks.hl7 import ingest  # noqa: PLC0415
    from tasks.hl7.generator import populate  # noqa: PLC0415
    from tasks.hl7.generator.generate import bytes_of, generate  # noqa: PLC0415
    from tasks.hl7.platform import installation  # noqa: PLC0415

    _heading("1. Traffic of 90 days from several systems, into PostgreSQL")
    server = stanza.server()
    installation.install(server)
    made = populate.populate(server, ingest.load_generated, messages, seed=SEED, end=END, days=90)
    show_counts(made.loaded)
    _heading("2. A file of the same systems: known messages, new ones, and broken ones")
    path = Path(stanza.home.path, "demo.hl7")
    with path.open("wb") as file:
        for seed in (SEED, SEED + 1):
            traffic = generate(messages, seed=seed, end=END, days=90)
            file.writelines(bytes_of(islice(traffic, 200)))
        file.writelines(BROKEN)
    show_counts(ingest.ingest(server, [str(path)]))


def _run(server: PrefectServer, code: str, known: dict[str, str]) -> None:
    """Run runbooks under the real API, in a process that ends with all of it told."""
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code],
        env=server.environment() | {name.upper(): value for name, value in known.items()},
        check=False,
    )
    if done.returncode != 0:
        raise OpsError("a runbook failed", do="read its output above")


def _show(stanza: Stanza) -> None:
    made = stanza.catalogue.get("latest")
    proof = stanza.catalogue.proofs(made.id)[-1]
    _heading(f"{made.id}: {proof.verdict}")
    seal, spent = made.seal, sum(proof.seconds.values())
    rows = [
        ("read from the server", size(made.bytes_source)),
        ("stored", size(made.bytes_stored)),
        ("sealed", f"{seal.tables} tables, {seal.rows:,} rows ({seal.mode})"),
        ("restored and held against it", f"{len(proof.checks)} checks, {spent:.0f} s"),
    ]
    show_table("", ("what", "how much"), rows)


def _heading(text: str) -> None:
    screen.print(f"\n[bold]{text}[/]")


VERBS: tuple[Callable[..., None], ...] = (demo,)
