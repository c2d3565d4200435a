"""The verb of a patient's risk: `risk`."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import typer

from flows.verbs.backup import site
from flows.verbs.output import AsJson, say, screen, show_table
from flows.verbs.report import moment
from reports.page import counted
from tasks.control import clock


def risk(
    patient_id: Annotated[int, typer.Argument(help="Key of the patient in the contract views.")],
    as_of: Annotated[
        datetime | None, typer.Option(help="Moment to score as of, in UTC; now by default.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Score one patient's risk and show how: operational triage, not validated for care."""
    from tasks.analytics import source  # noqa: PLC0415
    from tasks.analytics.risk import scores  # noqa: PLC0415
    from tasks.analytics.risk.document import document  # noqa: PLC0415
    from tasks.analytics.window import require_past  # noqa: PLC0415
    from tasks.recovery.restoring.lending import lent  # noqa: PLC0415

    now = moment(as_of)
    require_past(now)
    stanza = site()
    place = source.choose(stanza.settings, stanza.server(), lent(stanza.settings))
    with source.session(place) as session:
        told = document(scores.read(session, patient_id, now))
    say(told, lambda: _show(told), as_json=as_json)


def _show(told: dict[str, Any]) -> None:
    """Print the score, its parts, and the two indices beside it."""
    verdict = f"no score: {told['reason']}" if told["reason"] else f"{told['score']} {told['band']}"
    screen.print(f"patient {told['patient_id']}, {clock.readable(told['as_of'])}: {verdict}")
    screen.print(told["label"])
    rows = [
        (name, _shown(name, part["value"]), _known(part["points"]), f"{part['at_most']:.0f}")
        for name, part in told["components"].items()
    ]
    show_table(f"score = {told['formula']}", ("part", "counted", "points", "at most"), rows)
    screen.print(f"bands: {', '.join(f'{name} from {at}' for name, at in told['bands'].items())}")
    screen.print(f"counted by {told['list_version']}; {told['rule']}")
    if told["unended_medications"]:
        many = counted(told["unended_medications"], "medication")
        screen.print(f"{many} began over a year ago and has no end on record")
    screen.print(f"Charlson: {_charlson(told['charlson'])}")
    screen.print(f"LACE: {_lace(told['lace'])}")


def _shown(name: str, value: int | None) -> str:
    from tasks.analytics.risk.document import OLDEST  # noqa: PLC0415

    return f"{OLDEST}+" if name == "age" and value == OLDEST else _known(value)


def _known(value: float | None) -> str:
    return "unknown" if value is None else str(value)


def _charlson(told: dict[str, Any]) -> str:
    if told["index"] is None:
        return f"none, {told['reason']}"
    return f"{told['index']}, with age {_known(told['with_age'])} ({told['version']})"


def _lace(told: dict[str, Any]) -> str:
    if told["score"] is None:
        return f"none, {told['reason']}"
    level = "high" if told["is_high"] else "not high"
    return (
        f"{told['score']}, {level} (from {told['high_from']}): length {told['length']}, acute"
        f" {told['acute']}, comorbidity {told['comorbidity']}, emergency {told['emergency']};"
        f" the 30 days that it speaks of {'run' if told['is_early'] else 'are over'};"
        f" {told['rule']}"
    )


VERBS: tuple[Callable[..., None], ...] = (risk,)
