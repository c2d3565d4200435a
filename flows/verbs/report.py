"""Verbs of reports: `report executive`, `clinical`, `performance`, `dashboard`, and `rollup`.

None needs a Prefect server; what a report shows has passed the same checks.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.verbs.backup import site
from flows.verbs.output import AsJson, errors, progress, say, screen, write_page
from reports.page import counted
from tasks.analytics.findings import Findings, Report
from tasks.analytics.gate.check import Check
from tasks.analytics.source import listed
from tasks.control import clock
from tasks.control.errors import OpsError, Refused
from tasks.repository.pages import keep_pages
from tasks.repository.stanza import Stanza


if TYPE_CHECKING:
    from reports.draft import Draft

report_app = typer.Typer(no_args_is_help=True, help="Read, check and show the reports.")

AsOf = Annotated[
    datetime | None,
    typer.Option(help="The moment, in UTC, that windows end before; by default now."),
]

Html = Annotated[Path | None, typer.Option(help="Write the page to this file.")]


@report_app.command("executive")
def report_executive(as_of: AsOf = None, html: Html = None, *, as_json: AsJson = False) -> None:
    """Is the platform well, is it used, and what is ahead."""
    show_report("executive", as_of, html, as_json=as_json)


@report_app.command("clinical")
def report_clinical(as_of: AsOf = None, html: Html = None, *, as_json: AsJson = False) -> None:
    """Who is treated, for what and with what, as counts that show nobody."""
    show_report("clinical", as_of, html, as_json=as_json)


@report_app.command("performance")
def report_performance(as_of: AsOf = None, html: Html = None, *, as_json: AsJson = False) -> None:
    """How messages did in a week, and hour by hour in the last day."""
    show_report("performance", as_of, html, as_json=as_json)


@report_app.command("dashboard")
def report_dashboard(as_of: AsOf = None, html: Html = None, *, as_json: AsJson = False) -> None:
    """Every headline figure, and the last day hour by hour."""
    show_report("dashboard", as_of, html, as_json=as_json)


def moment(as_of: datetime | None) -> datetime:
    """Return the moment that was asked for, in UTC; by default now."""
    if as_of is None:
        return clock.now()
    return as_of.replace(tzinfo=UTC) if as_of.tzinfo is None else as_of


def of_file(as_of: datetime | None, html: Path | None) -> None:
    """See that nothing was asked of a file that only the platform's own pages have.

    Raises:
        Refused: a moment or a page was asked for.

    """
    if as_of or html:
        raise Refused(
            "a file has no page, and is read as a whole",
            seen="--as-of or --html with a file",
            expected="--json, or nothing",
            do="leave out the lines that come after the moment",
        )


def show_report(
    kind: Report,
    as_of: datetime | None,
    html: Path | None,
    more: Callable[[Findings], dict[str, Any]] = lambda _: {},
    *,
    as_json: bool,
) -> None:
    """Read, check, keep and show a report.

    Args:
        kind: which one.
        as_of: the moment that windows end before; by default now.
        html: the file that the page is written to as well.
        more: what the JSON document holds besides.
        as_json: whether that is what is printed.

    Raises:
        Corrupt: a check failed; the page of the failure is printed as an error.

    """
    from reports.draft import published  # noqa: PLC0415 - pandas
    from tasks.analytics.gate.check import require  # noqa: PLC0415

    stanza = site()
    draft, found = _drafted(stanza, kind, as_of, quiet=as_json)
    try:
        require(draft.checks)
    except OpsError as error:
        draft.error = str(error)
        errors.print(published(draft), markup=False)
        raise
    finally:
        page = _kept(stanza, draft, html)
    document = _document(found, draft.checks, page) | more(found)
    say(document, lambda: _show(found, page), as_json=as_json)


def _drafted(
    stanza: Stanza, kind: Report, as_of: datetime | None, *, quiet: bool
) -> "tuple[Draft, Findings]":
    """Read, compose and check a report, and show how far that is."""
    from reports.draft import Draft, compose  # noqa: PLC0415 - pandas
    from tasks.analytics.gate import gate  # noqa: PLC0415

    draft, now = Draft(stanza.name, kind, clock.now(), as_of), moment(as_of)
    with progress(quiet=quiet) as tell:
        draft.findings = found = _gathered(stanza, draft, now, tell)
        draft.page = compose(draft)
        tell("checking", 0, 1)
        draft.checks = gate.checks(stanza.server(), found, draft.page, now)
        tell("checking", 1, 1)
    return draft, found


def _kept(stanza: Stanza, draft: "Draft", html: Path | None) -> str:
    """Keep the page, or that of the failure, and return it."""
    from reports.draft import published  # noqa: PLC0415 - pandas
    from reports.export import standalone  # noqa: PLC0415

    page = published(draft)
    keep_pages(stanza, {draft.file: standalone(page)})
    if html:
        write_page(html, page)
    return page


def _gathered(
    stanza: Stanza, draft: "Draft", now: datetime, tell: Callable[[str, int, int], None]
) -> Findings:
    """Refresh the rollups, then read, where the settings say."""
    from tasks.analytics import findings, source  # noqa: PLC0415
    from tasks.analytics.rollups.refresh import refresh  # noqa: PLC0415
    from tasks.recovery.restoring.lending import lent  # noqa: PLC0415

    known, primary = stanza.settings, stanza.server()
    draft.refreshed = refresh(primary, clock.now(), tell=tell)
    place = source.choose(known, primary, lent(known))
    limit = known.response_threshold_ms
    return findings.gather(place, draft.kind, now=now, limit_ms=limit, tell=draft.asked.append)


def _document(found: Findings, checks: list[Check], page: str) -> dict[str, Any]:
    """Return a report as a document; counts of patients are those that the page may show."""
    shown = found.disclosure
    return {
        "verdict": page.partition("\n")[0].lstrip("# "),
        "origin": vars(found.origin),
        "kpis": [
            vars(kpi)
            | {"change": kpi.change, "status": kpi.status, "suppressed": sorted(kpi.suppressed)}
            for kpi in found.kpis
        ],
        "counts": None
        if shown is None
        else [
            {"cell": dict(cell), "count": shown.count(cell)}
            for cell in shown.cells.shown
            if isinstance(cell, frozenset)
        ],
        "checks": [vars(check) for check in checks],
        "asked": [vars(each) for each in found.asked],
        "page": page,
    }


def _show(found: Findings, page: str) -> None:
    from rich.markdown import Markdown  # noqa: PLC0415

    from tasks.analytics.gate.reading import without_pictures  # noqa: PLC0415

    screen.print(Markdown(without_pictures(page)))
    screen.print(listed(found.asked))


def rollup(*, as_json: AsJson = False) -> None:
    """Count the hours that are new, open or not settled, for all reports to read."""
    from tasks.analytics.rollups.refresh import refresh  # noqa: PLC0415

    with progress(quiet=as_json) as tell:
        done = refresh(site().server(), clock.now(), tell=tell)
    said = f"{counted(done.counted, 'hour')} counted through {clock.readable(done.through)}"
    kept = f", {counted(done.kept, 'hour')} kept, since messages were pruned" if done.kept else ""
    say(vars(done), lambda: screen.print(f"{said}{kept}, {done.seconds:.1f} s"), as_json=as_json)


VERBS: tuple[Callable[..., None], ...] = (rollup,)
