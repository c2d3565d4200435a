"""Verbs of the platform: `ingest`, `generate`, `contract check`."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.verbs.output import AsJson, errors, say, screen, show_table
from tasks.control import clock, settings
from tasks.control.errors import Refused
from tasks.repository.stanza import Stanza, open_stanza


if TYPE_CHECKING:
    from tasks.hl7.ingest import Counts

contract_app = typer.Typer(no_args_is_help=True, help="The views that everything else reads.")


def ingest(
    paths: Annotated[list[str], typer.Argument(help="Files, directories, or - for stdin.")],
    *,
    connection: Annotated[str | None, typer.Option(help="Interface that they came on.")] = None,
    as_json: AsJson = False,
) -> None:
    """Load HL7 v2 into the platform; whatever is offered is accounted for."""
    from tasks.hl7 import ingest as engine  # noqa: PLC0415
    from tasks.hl7.platform import installation  # noqa: PLC0415

    stanza = open_stanza(settings.load())
    server = stanza.server()
    if stanza.settings.database_url is None:
        installation.install(server)
    with errors.status("reading") as status:
        counts = engine.ingest(
            server,
            paths,
            connection=connection,
            progress=lambda offered: status.update(f"{offered:,} offered"),
        )
    say(counted(counts), lambda: show_counts(counts), as_json=as_json)


def counted(counts: "Counts") -> dict[str, Any]:
    """Return what `--json` says of an ingest."""
    return {
        "offered": counts.offered,
        "accepted": counts.accepted,
        "duplicates": counts.duplicates,
        "quarantined": counts.quarantined,
        "by_type": dict(counts.by_type.most_common()),
        "reasons": dict(counts.reasons.most_common()),
        "notes": dict(counts.notes.most_common()),
        "passed_over": counts.passed_over,
    }


def show_counts(counts: "Counts") -> None:
    """Print what became of what was offered."""
    screen.print(
        f"{counts.offered:,} offered = {counts.accepted:,} accepted +"
        f" {counts.duplicates:,} duplicates + {counts.quarantined:,} quarantined"
    )
    if counts.by_type:
        show_table("Accepted", ("type", "messages"), counts.by_type.most_common(12))
    if counts.reasons:
        show_table("Quarantined", ("reason", "messages"), counts.reasons.most_common())
    if counts.passed_over:
        screen.print(f"{counts.passed_over:,} entries of the directories are no files, not read")


def generate(
    messages: Annotated[int, typer.Option(min=1, help="How many.")] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same traffic.")] = 1,
    days: Annotated[float, typer.Option(help="Days that it covers, up to `--end`.")] = 90,
    end: Annotated[
        datetime | None, typer.Option(help="End of the traffic, in UTC; now by default.")
    ] = None,
    to: Annotated[Path | None, typer.Option(help="Write HL7 here instead of loading it.")] = None,
    *,
    fast: Annotated[
        bool, typer.Option("--fast", help="Fill the tables by SQL, for benchmarks.")
    ] = False,
    on_my_server: Annotated[
        bool, typer.Option("--on-my-server", help="Load it into the server of DATABASE_URL.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make believable HL7 traffic and load it into the platform."""
    until = end.replace(tzinfo=UTC) if end else clock.now()
    if fast and to is not None:
        raise typer.BadParameter("--fast fills tables; it writes no file")
    if to is not None:
        document = _written(to, messages, seed, until, days)
    elif fast:
        document = _filled(_to_fill(on_my_server=on_my_server), messages, seed)
    else:
        stanza = _to_fill(on_my_server=on_my_server)
        document = _loaded(stanza, messages, seed, until, days)
    say(document, lambda: _show(document), as_json=as_json)


def _to_fill(*, on_my_server: bool) -> Stanza:
    """Open the stanza that invented patients may go into."""
    stanza = open_stanza(settings.load())
    if stanza.settings.database_url is not None and not on_my_server:
        raise Refused(
            "these patients are invented, and DATABASE_URL is a server of yours",
            stanza=stanza.name,
            expected="the embedded cluster",
            do="unset DATABASE_URL, write a file with --to, or say --on-my-server",
        )
    return stanza


def _show(document: dict[str, Any]) -> None:
    for name, value in document.items():
        screen.print(f"{name:<12} {value}")


def _written(to: Path, messages: int, seed: int, end: datetime, days: float) -> dict[str, Any]:
    from tasks.hl7.generator.generate import bytes_of, generate  # noqa: PLC0415

    traffic = generate(messages, seed=seed, end=end, days=days)
    try:
        with to.open("xb") as file:
            file.writelines(bytes_of(traffic))
    except OSError as error:
        raise Refused(
            "cannot write there", seen=f"{to}: {error.strerror}", do="choose another"
        ) from None
    return {"messages": messages, "bytes": to.stat().st_size, "file": str(to)}


def _loaded(stanza: Stanza, messages: int, seed: int, end: datetime, days: float) -> dict[str, Any]:
    from tasks.hl7 import ingest  # noqa: PLC0415
    from tasks.hl7.generator import populate  # noqa: PLC0415
    from tasks.hl7.platform import installation  # noqa: PLC0415

    server = stanza.server()
    installation.install(server)
    with errors.status(f"generating {messages:,} messages"):
        made = populate.populate(
            server, ingest.load_generated, messages, seed=seed, end=end, days=days
        )
    extra = {"audit_events": made.audit_events, "login_events": made.login_events}
    return {**counted(made.loaded), **extra, "seconds": round(made.seconds, 1)}


def _filled(stanza: Stanza, messages: int, seed: int) -> dict[str, Any]:
    from tasks.hl7.generator import bulk  # noqa: PLC0415
    from tasks.hl7.platform import installation  # noqa: PLC0415

    installation.install(stanza.server())
    filled = bulk.fill(stanza.server(), messages, seed=seed)
    return vars(filled)


@contract_app.command("check")
def contract_check(*, as_json: AsJson = False) -> None:
    """Say in words what the operated database lacks of the contract."""
    from tasks.hl7.platform import contract  # noqa: PLC0415

    stanza = open_stanza(settings.load())
    found = contract.check(stanza.server())
    document = {"findings": [{**vars(each), "said": str(each)} for each in found]}

    def text() -> None:
        for each in found:
            screen.print(str(each))
        screen.print(f"{len(found)} findings" if found else "the contract is kept")

    say(document, text, as_json=as_json)
    if found:
        raise Refused(
            "the contract is not kept",
            stanza=stanza.name,
            seen=f"{len(found)} findings",
            expected="the views of tasks/hl7/platform/CONTRACT.md",
            do="define what is missing",
        )


VERBS: tuple[Callable[..., None], ...] = (ingest, generate)
