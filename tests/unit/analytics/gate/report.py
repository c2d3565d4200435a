"""A small report that passes the gate: four frames, a page, and their rules."""

import base64
from datetime import UTC, date, datetime, timedelta

import pandas as pd

from reports.page import page, table
from tasks.analytics.gate.rules import (
    ANY,
    COUNT,
    SHARE,
    ColumnRules,
    FrameRules,
    Fresh,
    PageRules,
    Volume,
)


NOW = datetime(2026, 11, 25, 6, tzinfo=UTC)

PEOPLE = {"Featherstonehaugh", "MRN4711", "555-0172", "1957-03-12", "02139"}
"""What the database knows of patients."""

SEX = FrameRules(
    columns={
        "sex": ColumnRules(allowed=frozenset({"F", "M", "unknown"})),
        "patients": COUNT,
        "share": SHARE,
    },
    adds_up={"patients": ("headline", "patients")},
    shares=("share",),
    rows=(2, 3),
    unique=("sex",),
)

HOURS = FrameRules(
    columns={"hour": ANY, "type": ANY, "messages": COUNT, "p95_ms": ColumnRules(0, 60_000)},
    adds_up={"messages": 2400},
    fresh=Fresh("hour", timedelta(hours=2)),
    unique=("hour", "type"),
    volume={"messages": Volume(prior=2000, factor=2)},
)

RULES = {
    "headline": FrameRules({"patients": COUNT}, rows=(1, 1)),
    "sex": SEX,
    "hours": HOURS,
    "ages": FrameRules({"band": ANY, "patients": COUNT, "mean": ColumnRules(is_nullable=True)}),
}

PAGE = PageRules(
    first=date(2026, 10, 26),
    last=date(2026, 12, 25),
    clinical={"Diagnoses": frozenset({"patients"}), "Sex": frozenset({"patients", "active"})},
    shown=frozenset({1200, 45, 120, 100, 80, 2, 3}),
    codes=frozenset({"44054006"}),
)


def frames():
    """Return frames that pass."""
    hours = [NOW - timedelta(hours=back) for back in (1, 2, 3)]
    return {
        "headline": pd.DataFrame({"patients": [200]}),
        "sex": pd.DataFrame(
            {"sex": ["F", "M"], "patients": [120, 80], "share": [0.6, 0.4]},
        ),
        "hours": pd.DataFrame(
            {
                "hour": [hour for hour in hours for _ in "AO"],
                "type": ["ADT", "ORU"] * 3,
                "messages": [400] * 6,
                "p95_ms": [12.5] * 6,
            }
        ),
        "ages": pd.DataFrame({"band": ["0-17", "18+"], "patients": [90, 110], "mean": [9, None]}),
    }


def chart(text="patients by day", more=""):
    """Return a picture with a text in it."""
    svg = f'<svg xmlns="http://www.w3.org/2000/svg"><text aria-label="a">{text}</text>{more}</svg>'
    return f"![by day](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def markdown(*more, verdict="# Good: 1,200 patients, 2 of 3 targets met", top=None, sex=None):
    """Return a page that passes, with more parts at its end."""
    top = top or [("Diabetes", "44054006", 45), ("Asthma", "195967001"[:5], "suppressed")]
    sex = sex or [("F", 120, 100), ("M", 80, "suppressed")]
    return page(
        verdict,
        "Data as of 2026-11-25 06:00:00 UTC, window 2026-10-26 to 2026-11-24. Born 1957 or later.",
        chart(),
        "## Diagnoses\n\n" + table(["diagnosis", "code", "patients"], top),
        "## Sex\n\n" + table(["sex", "patients", "active"], sex),
        "Forecast for 25 December 2026: 12.5 % more, 10,204.5 messages a day.",
        *more,
    )


def is_known(tokens):
    """Count the tokens that belong to patients."""
    return sum(token in PEOPLE for token in tokens)
