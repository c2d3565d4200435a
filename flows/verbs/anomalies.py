"""The verb `anomalies`."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.verbs.output import AsJson, say, screen, show_table
from flows.verbs.report import AsOf, Html, of_file, show_report


if TYPE_CHECKING:
    from tasks.analytics.anomalies.detect import Anomalies
    from tasks.analytics.findings import Findings


def anomalies(
    file: Annotated[
        Path | None, typer.Argument(help="A CSV file of timestamp,value or date,value.")
    ] = None,
    as_of: AsOf = None,
    html: Html = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell what is not as expected in a series, one alert an episode.

    Without a file: the platform's own message counts, processing times, error rates and silences.
    """
    from tasks.analytics.anomalies import detect, reading  # noqa: PLC0415

    if file is None:
        show_report("anomalies", as_of, html, of_watch, as_json=as_json)
        return
    of_file(as_of, html)
    series = reading.read(file)
    found = detect.of_series(zip(series.moments, series.values, strict=True))
    document = told(found, series.spelled.__getitem__)
    say(document, lambda: show(document), as_json=as_json)


def of_watch(found: "Findings") -> dict[str, Any]:
    """Return what `--json` says of the platform."""
    assert found.watch is not None  # noqa: S101 - an anomalies report has one
    return {
        "kinds": {
            kind: told(each, lambda moment: moment.isoformat(sep=" "))
            for kind, each in found.watch.kinds.items()
        },
        "silent": [vars(each) for each in found.watch.silent],
    }


def told(found: "Anomalies", spell: Callable[[datetime], str]) -> dict[str, Any]:
    """Return what `--json` says of anomalies; moments as `spell` writes them."""
    return {
        "points": found.points,
        "episodes": [
            {
                "start": spell(each.start),
                "end": spell(each.end),
                "peak": spell(each.peak),
                "score": round(each.score, 3),
                "severity": each.severity,
                "observed": each.observed,
                "expected": each.expected,
                "look": each.look,
            }
            for each in found.episodes
        ],
        "method": found.method.formula,
        "baseline": found.method.baseline,
        "expected_false_alarms": round(found.expected_false_alarms, 2),
    }


def show(document: dict[str, Any]) -> None:
    """Print the episodes, and the rule below them."""
    episodes = document["episodes"]
    screen.print(
        f"{len(episodes)} episodes in {document['points']:,} buckets;"
        f" {document['expected_false_alarms']} expected of noise alone"
    )
    if episodes:
        names = ("start", "end", "peak", "score", "severity", "look")
        show_table("Episodes", names, [[each[name] for name in names] for each in episodes])
    screen.print(document["method"])
    screen.print(document["baseline"])


VERBS: tuple[Callable[..., None], ...] = (anomalies,)
