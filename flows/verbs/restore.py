"""The verb `restore`; it needs no Prefect server and not the operated one, which may be gone."""

import shutil
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from flows.verbs.backup import site
from flows.verbs.output import AsJson, Repository, progress, say, screen, show_table
from reports.page import size
from reports.restore import plan_rows, reached_rows
from tasks.control.errors import Refused
from tasks.postgres import lsn
from tasks.recovery.planning import survey
from tasks.recovery.planning import target as targets
from tasks.recovery.planning.plan import Plan
from tasks.recovery.restoring.directory import Destination, chosen, examine
from tasks.recovery.restoring.restored import Restored
from tasks.repository.stanza import Stanza


Point = Annotated[str, typer.Argument(help=f"Where recovery ends: {targets.FORMS}.")]

Exclusive = Annotated[bool, typer.Option(help="End just before the target.")]

To = Annotated[
    Path | None, typer.Option(help="The data directory; by default `restored` in the home.")
]

Tablespaces = Annotated[
    list[str] | None, typer.Option(help="OLD=NEW: where a tablespace goes, by where it was.")
]

Planning = Annotated[
    bool, typer.Option("--plan", "--dry-run", help="Say what would be done, and touch nothing.")
]

Replace = Annotated[bool, typer.Option(help="Move aside the cluster that is there.")]

Timeline = Annotated[
    int | None, typer.Option(min=1, help="Along this timeline; by default the newest.")
]


Accept = Annotated[
    bool,
    typer.Option(
        "--accept-failed-proof",
        help="Go on where bytes failed or WAL is missing, and name what is lost.",
    ),
]


def local_zone() -> tzinfo:
    """Return the zone of this machine, in which a time without one may have been meant."""
    zone = datetime.now().astimezone().tzinfo
    assert zone is not None  # noqa: S101 - it was made aware
    return zone


def restore(
    target: Point = "latest",
    *,
    to: To = None,
    backup: Annotated[
        str | None,
        typer.Option(help="Begin with this one; by default the newest that leads there."),
    ] = None,
    timeline: Timeline = None,
    tablespace: Tablespaces = None,
    repository: Repository = None,
    exclusive: Exclusive = False,
    plan: Planning = False,
    replace: Replace = False,
    delta: Annotated[
        bool, typer.Option(help="Use that up instead, and write only the files that differ.")
    ] = False,
    promote: Annotated[bool, typer.Option(help="Let the copy be written at once.")] = False,
    accept_failed_proof: Accept = False,
    as_json: AsJson = False,
) -> None:
    """Restore the cluster to a point, beside the operated one; the copy pauses there, read-only."""
    stanza = site(repository)
    wanted = targets.parse(target, local_zone(), inclusive=not exclusive, timeline=timeline)
    place = chosen(stanza, to)
    destination = Destination(place, replace, delta, mapping(tablespace or []))
    if plan:
        made = survey.plan(stanza, wanted, backup, accept_failed_proof=accept_failed_proof)
        _say_plan(stanza, made, destination, as_json=as_json)
        return
    from tasks.recovery.restoring.restore import restore as recover  # noqa: PLC0415

    with progress(quiet=as_json) as tell:
        done = recover(
            stanza,
            wanted,
            destination,
            named=backup,
            promote=promote,
            accept_failed_proof=accept_failed_proof,
            progress=tell,
        )
    say(of_restored(done), lambda: show_restored(done), as_json=as_json)


def mapping(pairs: list[str]) -> dict[str, Path]:
    """Read where tablespaces go.

    Raises:
        Refused: a pair is none.

    """
    found = {}
    for pair in pairs:
        old, equals, new = pair.rpartition("=/")  # either may hold an equals sign
        if not equals:
            raise Refused(
                "that leads no tablespace anywhere", seen=pair, expected="OLD=NEW, absolute"
            )
        found[old] = Path("/", new)
    return found


def _say_plan(stanza: Stanza, made: Plan, destination: Destination, *, as_json: bool) -> None:
    """Print a plan; what stands against the directory is said with it, and refuses it."""
    free = free_beside(destination)
    say(
        of_plan(made, destination, free),
        lambda: _show_plan(made, destination, free),
        as_json=as_json,
    )
    examine(stanza, made.needs, destination)


def free_beside(destination: Destination) -> int:
    """Return how many bytes are free where a copy goes."""

    def there(path: Path) -> Path:
        return path if path.exists() else there(path.parent)

    return shutil.disk_usage(there(destination.path)).free


def of_plan(plan: Plan, destination: Destination, free: int) -> dict[str, Any]:
    """Describe a plan."""
    return {
        "warnings": list(plan.warnings),
        "accepted": list(plan.accepted),
        "target": str(plan.target),
        "to": str(destination.path),
        "chain": [link.id for link in plan.chain],
        "stop": plan.stop.told if plan.stop else "as soon as it is consistent",
        "stop_lsn": lsn.spell(plan.stop.position) if plan.stop else plan.backup.stop_lsn,
        "inclusive": plan.stop.inclusive if plan.stop else True,
        "last_transaction_at": plan.last.at if plan.last else None,
        "timeline": plan.timeline,
        "wal": {
            "from": plan.segments[0].name,
            "to": plan.segments[-1].name,
            "segments": len(plan.segments),
        },
        "fetched_bytes": plan.fetched_bytes,
        "needed_bytes": plan.needed_bytes,
        "free_bytes": free,
        "expected_seconds": plan.copy_seconds,
        "configuration": plan.configuration,
        "passed_over": list(plan.passed_over),
    }


def warn(said: Sequence[str]) -> None:
    """Print warnings, a line each, before anything else."""
    for each in said:
        screen.print(f"WARNING: {each}", markup=False, style="bold red")


def _show_plan(plan: Plan, destination: Destination, free: int) -> None:
    warn([*plan.accepted, *plan.warnings])
    rows = [*plan_rows(plan), ("free", size(free)), ("goes to", str(destination.path))]
    show_table(f"Plan: restore to {plan.target}; nothing was touched", ("what", "how"), rows)


def of_restored(done: Restored) -> dict[str, Any]:
    """Describe a restored copy, and how it is reached."""
    return {
        **{name: value for name, value in vars(done).items() if name != "programs"},
        "connect": _connect(done),
    }


def _connect(done: Restored) -> str:
    at = done.cluster
    return f"psql -h {quote(str(at.sockets))} -p {at.port} -U {quote(done.superuser)}"


def show_restored(done: Restored) -> None:
    """Say where a copy is, what was reached, and what follows."""
    state = "can be written" if done.is_promoted else "is read-only"
    place = quote(done.path)
    follow = [
        ("look at it", _connect(done)),
        ("before you start it your own way", f"hl7ops restored stop {place}"),
    ]
    if not done.is_promoted:
        follow.insert(1, ("let it be written", f"hl7ops restored promote {place}"))
    if done.previous:
        follow.append((f"back to {done.previous}", f"hl7ops restored undo {place}"))
    warn([*done.accepted, *done.warnings])
    rows = [*reached_rows(done), *follow]
    show_table(f"{done.path} is there and runs; it {state}", ("what", ""), rows)


VERBS: tuple[Callable[..., None], ...] = (restore,)
