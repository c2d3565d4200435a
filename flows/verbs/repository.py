"""Verbs of whole repositories: `repository list`, `repository copy`, `repository check`."""

from typing import Annotated, Any

import typer

from flows.verbs.backup import site
from flows.verbs.output import AsJson, Repository, progress, say, screen, show_table
from reports.page import counted, size
from tasks.control import settings
from tasks.control.errors import Refused
from tasks.repository.findings import Inspection
from tasks.repository.stanza import Stanza, open_stanza


repository_app = typer.Typer(no_args_is_help=True, help="Look at repositories, and copy them.")


@repository_app.command("list")
def repository_list(*, as_json: AsJson = False) -> None:
    """List the repositories of the stanza: where each is, and how much it holds."""
    stanza = open_stanza(settings.load())
    lines: list[dict[str, Any]] = [
        {
            "repository": name,
            "place": catalogue.storage.place,
            "backups": len(catalogue.entries()),
            "bytes": sum(item.bytes for item in catalogue.storage.objects(f"{stanza.name}/")),
            "encrypted_to": list(catalogue.cipher.recipients),
        }
        for name, catalogue in stanza.repositories.items()
    ]

    def text() -> None:
        header = ("repository", "place", "backups", "size", "encrypted to")
        rows = [
            (*list(line.values())[:3], size(line["bytes"]), ", ".join(line["encrypted_to"]))
            for line in lines
        ]
        show_table("Repositories; the first one takes the backups", header, rows)

    say(lines, text, as_json=as_json)


@repository_app.command("copy")
def repository_copy(
    backup: Annotated[
        list[str] | None,
        typer.Argument(help="Ids of backups; none: what is newer than the newest of the target."),
    ] = None,
    to: Annotated[str | None, typer.Option(help="Where to; by default the other one.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All that the target lacks.")] = False,
    as_json: AsJson = False,
) -> None:
    """Copy backups with their chains and WAL to another repository, checked on the way."""
    from tasks.repository.copying import Copier  # noqa: PLC0415

    stanza = open_stanza(settings.load())
    target = stanza.at(to or _other(stanza))
    source = stanza.at(next(name for name in stanza.repositories if name != target.repository))
    with progress(quiet=as_json) as tell:
        done = Copier(source.catalogue, target.catalogue, tell).run(
            backup or (), everything=everything
        )
    document = {"to": target.repository, **vars(done)}

    def text() -> None:
        said = f"{counted(len(done.backups), 'backup')}, {counted(done.segments, 'WAL segment')}"
        screen.print(f"copied to {target.catalogue.storage.place}: {said}, {size(done.bytes)}")
        if done.backups:
            there = f"hl7ops verify {done.backups[-1]} --repository {target.repository}"
            screen.print(f"  what was copied is not proven there yet: {there}")

    say(document, text, as_json=as_json)


def _other(stanza: Stanza) -> str:
    if not stanza.others:
        raise Refused(
            "there is no other repository to copy to",
            stanza=stanza.name,
            seen=f"{stanza.repository} only",
            do="set BACKUP_DIR and S3_BUCKET",
        )
    return stanza.others[0]


@repository_app.command("check")
def repository_check(
    repository: Repository = None,
    *,
    quick: Annotated[bool, typer.Option(help="Names and sizes only; read no data.")] = False,
    accept_losses: Annotated[
        str | None, typer.Option(help="Why documents that are lost are accepted; entered, signed.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who accepts them.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hold catalogue, journal, data and WAL of a repository against each other, both ways."""
    from tasks.repository.check import check  # noqa: PLC0415
    from tasks.repository.losses import accept_losses as accept  # noqa: PLC0415

    stanza = site(repository)
    if accept_losses is not None or by is not None:
        accept(stanza.catalogue, by=(by or "").strip(), reason=(accept_losses or "").strip())
    with progress(quiet=as_json) as tell:
        found = check(stanza.catalogue, quick=quick, progress=tell)
    document = {
        "repository": stanza.repository,
        "place": stanza.catalogue.storage.place,
        "verdict": "damaged" if found.damage else "sound",
        **{name: getattr(found, name) for name in ("backups", "objects", "segments", "bytes")},
        "damage": [vars(each) for each in found.damage],
        "notes": [vars(each) for each in found.notes],
    }
    say(document, lambda: _show_inspection(found), as_json=as_json)
    found.require(stanza.name, stanza.catalogue.storage.place)


def _show_inspection(found: Inspection) -> None:
    screen.print(
        f"{counted(found.backups, 'backup')}, {counted(found.objects, 'object')},"
        f" {counted(found.segments, 'WAL segment')}, {size(found.bytes)}:"
        f" {counted(len(found.damage), 'damage')}, {counted(len(found.notes), 'note')}"
    )
    for title, kind in (("Damage", found.damage), ("Notes", found.notes)):
        if kind:
            show_table(title, ("what", "said"), [(each.subject, each.said) for each in kind])
