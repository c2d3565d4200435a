"""What each report's frames have to be like before it is published."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tasks.analytics import kpis, trends
from tasks.analytics.clinical import figures as clinical
from tasks.analytics.clinical.statements import TOP
from tasks.analytics.findings import Findings
from tasks.analytics.gate.rules import (
    ANY,
    COUNT,
    SHARE,
    ColumnRules,
    FrameRules,
    Fresh,
    Volume,
)
from tasks.analytics.messages import figures as messages
from tasks.analytics.patients import figures as patients
from tasks.analytics.rollups.tables import COUNTS
from tasks.analytics.suppression.cells import THRESHOLD
from tasks.analytics.window import zone


if TYPE_CHECKING:
    import pandas as pd

LATE = timedelta(hours=3)
"""So old the newest hour may be: rollups are refreshed every hour, and one run may be missed."""

_OPEN = ColumnRules(is_nullable=True)
_SHARE = ColumnRules(least=0, most=1, is_nullable=True)
_TIME = ColumnRules(least=0, is_nullable=True)
_NAME = ANY


def frames(found: Findings) -> dict[str, "pd.DataFrame"]:
    """Return the frames of a report by name, those that its page is made from."""
    made = {"kpis": kpis.frame(found.kpis)}
    if found.trends is not None:
        made["hourly"] = trends.hourly(found.trends)
    if found.messages is not None:
        read = found.messages
        made["hours"] = messages.split(read)[0]
        made["outcomes"] = messages.outcomes(read)
        made["rates"] = messages.rates(read)
        made["connections"] = messages.by_connection(read)
        made["times"] = messages.times(read)
        made["kinds"] = messages.by_kind(read, ["message_type", "trigger_event"])
        made["week"] = messages.by_hour_of_week(read, zone(found.origin.timezone))
    if found.patients is not None:
        made["patients"] = patients.by_age_and_sex(found.patients)
        made["standing"] = patients.by_standing(found.patients)
        made["visits"] = patients.by_class(found.patients)
    if found.clinical is not None:
        known = int(found.clinical.people["known"].iloc[0])
        made["diagnoses"] = clinical.common(found.clinical.diagnoses, known)
        made["medications"] = clinical.common(found.clinical.medications, known)
        made["together"] = clinical.together(found.clinical)
        made["around"] = clinical.around(found.clinical)
    return made


def rules(found: Findings) -> Mapping[str, FrameRules]:
    """Return what the frames of a report have to be like."""
    expected = {"kpis": _KPIS}
    if found.trends is not None:
        expected["hourly"] = _HOURLY
    if found.messages is not None:
        now, before = (int(f["messages"].sum()) for f in messages.split(found.messages))
        expected |= _of_messages(now, before)
    if found.patients is not None:
        expected |= _of_patients(int(found.patients.cube["patients"].sum()))
    if found.clinical is not None:
        expected |= _CLINICAL
    return expected


_KPIS = FrameRules(
    {
        "name": _NAME,
        "unit": ColumnRules(allowed=frozenset({"count", "share", "ms", "s"})),
        "value": _TIME,
        "before": _TIME,
        "target": _TIME,
        "status": ColumnRules(allowed=frozenset({"met", "missed", "no data", "-"})),
    },
    unique=("name",),
)

_HOURLY = FrameRules(
    {
        "hour": ANY,
        "messages": COUNT,
        "errors": COUNT,
        "error_rate": _SHARE,
        "lo": _SHARE,
        "hi": _SHARE,
        "p50": _TIME,
        "p95": _TIME,
        "p99": _TIME,
        "bytes": COUNT,
    },
    rows=(24, 24),
    fresh=Fresh("hour", LATE),
    unique=("hour",),
)


def _of_messages(now: int, before: int) -> dict[str, FrameRules]:
    """Return the rules of messages; where there are none, there are no shares to add up."""
    made = dict(_MESSAGES)
    made["hours"] = replace(made["hours"], volume={"messages": Volume(before)})
    if not now:
        made |= {name: replace(each, shares=()) for name, each in made.items()}
    return made


_TOTAL = {"messages": ("hours", "messages")}

_MESSAGES = {
    "hours": FrameRules(
        {"hour": ANY, "connection_id": ANY} | dict.fromkeys(COUNTS, COUNT),
        rows=(0, None),
        unique=("hour", "connection_id"),
    ),
    "outcomes": FrameRules(
        {"outcome": _NAME, "messages": COUNT, "share": _SHARE, "lo": SHARE, "hi": SHARE}
        | {"share_before": _SHARE},
        adds_up=_TOTAL,
        shares=("share",),
        unique=("outcome",),
    ),
    "rates": FrameRules(
        {"rate": _NAME, "of": _NAME, "n": COUNT, "count": COUNT, "share": _SHARE}
        | {"lo": SHARE, "hi": SHARE, "is_small": ANY, "share_before": _SHARE},
        unique=("rate", "of"),
    ),
    "connections": FrameRules(
        {"connection": _NAME, "messages": COUNT, "before": COUNT, "change": _OPEN}
        | {"success": _SHARE, "lo": SHARE, "hi": SHARE, "is_small": ANY}
        | dict.fromkeys(
            ("filtered", "queued", "ack_errors", "ack_rejects", "timeouts", "other_errors"),
            COUNT,
        ),
        adds_up=_TOTAL,
        rows=(0, None),
    ),
    "times": FrameRules(
        {"connection": _NAME, "measured": COUNT}
        | dict.fromkeys(("p50", "p95", "p99"), COUNT)
        | {"p95_before": _TIME, "change": _OPEN},
        rows=(0, None),
    ),
    "kinds": FrameRules(
        {"message_type": _NAME, "trigger_event": _NAME, "messages": COUNT, "share": _SHARE}
        | {"errors": COUNT, "before": COUNT, "change": _OPEN},
        adds_up=_TOTAL,
        shares=("share",),
        rows=(0, None),
        unique=("message_type", "trigger_event"),
    ),
    "week": FrameRules(
        {"weekday": ColumnRules(0, 6), "hour": ColumnRules(0, 23), "messages": COUNT},
        adds_up=_TOTAL,
        rows=(0, 168),
        unique=("weekday", "hour"),
    ),
}


def _of_patients(known: int) -> dict[str, FrameRules]:
    return {
        "patients": FrameRules(
            {"age_band": _NAME} | dict.fromkeys(patients.SEXES, COUNT),
            rows=(len(patients.BANDS), len(patients.BANDS)),
            unique=("age_band",),
        ),
        "standing": FrameRules(
            {"standing": _NAME, "patients": COUNT, "share": _SHARE},
            adds_up={"patients": known},
            shares=("share",) if known else (),
            rows=(3, 3),
            unique=("standing",),
        ),
        "visits": FrameRules(
            {"patient_class": _NAME, "admissions": COUNT, "share": _SHARE, "before": COUNT}
            | {"change": _OPEN, "present": COUNT, "median_hours": _TIME},
            rows=(0, 9),
            unique=("patient_class",),
        ),
    }


_COMMON = FrameRules(
    {"key": _NAME, "description": _NAME, "patients": COUNT, "share": _SHARE, "now": COUNT}
    | {"before": COUNT, "change": _OPEN},
    rows=(0, TOP),
    unique=("key",),
)

_CLINICAL = {
    "diagnoses": _COMMON,
    "medications": _COMMON,
    "together": FrameRules(
        {"first": _NAME, "second": _NAME, "both": COUNT, "only_first": COUNT}
        | {"only_second": COUNT, "lift": COUNT},
        rows=(0, 105),
        unique=("first", "second"),
    ),
    "around": FrameRules(
        {
            "medication": _NAME,
            "measured": _NAME,
            "unit": _NAME,
            "patients": ColumnRules(least=THRESHOLD),
        }
        | dict.fromkeys(("before", "after", "difference", "lo", "hi"), ANY),
        rows=(0, TOP),
    ),
}
