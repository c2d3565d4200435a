"""Verbs of snapshots: what one holds, and how that, or a part of it, is loaded."""

from typing import Annotated, Any

import typer

from flows.verbs.backup import site
from flows.verbs.output import AsJson, Repository, progress, say, screen, show_table
from flows.verbs.restore import (
    Planning,
    Replace,
    Tablespaces,
    To,
    free_beside,
    mapping,
    of_restored,
    show_restored,
    warn,
)
from reports.page import size
from reports.restore import snapshot_rows
from tasks.recovery.restoring.directory import Destination, chosen, examine
from tasks.recovery.snapshots import selection as selections
from tasks.recovery.snapshots.wanted import Wanted, find, wanted


snapshot_app = typer.Typer(no_args_is_help=True, help="Look into a snapshot, or load a part of it.")

Id = Annotated[str, typer.Argument(metavar="SNAPSHOT", help="Its id.")]


@snapshot_app.command("show")
def snapshot_show(snapshot: Id, *, repository: Repository = None, as_json: AsJson = False) -> None:
    """List the databases and tables that a snapshot holds."""
    stanza = site(repository)
    backup = find(stanza, snapshot)
    tables = stanza.catalogue.fingerprint(backup).tables
    document = {
        "id": backup.id,
        "taken_at": backup.seal.taken_at,
        "server_version": backup.server_version,
        "databases": [dump.database for dump in backup.dumps],
        "tables": [{"table": each.name, "rows": each.rows} for each in tables],
    }

    def text() -> None:
        show_table(backup.id, ("table", "rows"), [(each.name, f"{each.rows:,}") for each in tables])
        empty = {dump.database for dump in backup.dumps} - {each.database for each in tables}
        if empty:
            screen.print(f"no table: {', '.join(sorted(empty))}", markup=False)

    say(document, text, as_json=as_json)


@snapshot_app.command("restore")
def snapshot_restore(
    snapshot: Id,
    *,
    database: Annotated[
        list[str] | None, typer.Option(help="Load this one; by default all. May come again.")
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option(metavar="DATABASE.SCHEMA.TABLE", help="Load this one. May come again."),
    ] = None,
    to: To = None,
    tablespace: Tablespaces = None,
    repository: Repository = None,
    plan: Planning = False,
    replace: Replace = False,
    accept_differences: Annotated[
        bool, typer.Option(help="Put the copy in place also where it differs from its seal.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Load a snapshot, or a part of it, into a new cluster, and compare that with its seal."""
    stanza = site(repository)
    selection = selections.parse(database or (), table or ())
    what = wanted(stanza, find(stanza, snapshot), selection, accepted=accept_differences)
    destination = Destination(
        chosen(stanza, to), replace=replace, tablespaces=mapping(tablespace or [])
    )
    if plan:
        say(_of_plan(what, destination), lambda: _show_plan(what, destination), as_json=as_json)
        examine(stanza, what.needs, destination)
        return
    from tasks.recovery.snapshots.loading import restore_snapshot  # noqa: PLC0415

    with progress(quiet=as_json) as tell:
        done = restore_snapshot(stanza, what, destination, tell)
    say(of_restored(done), lambda: show_restored(done), as_json=as_json)


def _of_plan(what: Wanted, destination: Destination) -> dict[str, Any]:
    return {
        "warnings": list(what.warnings),
        "snapshot": what.backup.id,
        "taken_at": what.backup.seal.taken_at,
        "to": str(destination.path),
        "databases": what.databases,
        "tables": [str(each) for each in what.selection.tables],
        "fetched_bytes": what.fetched_bytes,
        "needed_bytes": what.needs.bytes,
        "free_bytes": free_beside(destination),
    }


def _show_plan(what: Wanted, destination: Destination) -> None:
    warn(what.warnings)
    free = size(free_beside(destination))
    rows = [*snapshot_rows(what), ("free", free), ("goes to", str(destination.path))]
    show_table("Plan: nothing was touched", ("what", "how"), rows)
