"""Charts as SVG images inside the markdown, legible on light and on dark ground."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass


INK = "#8a94a0"
"""Grey with a contrast of 3 to 1 or better on white and on Prefect's dark ground."""

COLOURS = ("#2f81f7", "#3fb950", "#d29922", "#a371f7", "#f0883e")


@dataclass(frozen=True)
class Bar:
    """One bar of a timeline: its name, its group, and when it began and ended, in seconds."""

    name: str
    group: str
    start: float
    end: float


def timeline(bars: Sequence[Bar], title: str) -> str:
    """Draw what took how long, one row a bar, as a markdown image with its title as text."""
    import altair as alt  # noqa: PLC0415 - a second
    import pandas as pd  # noqa: PLC0415
    import vl_convert  # noqa: PLC0415

    frame = pd.DataFrame(
        [
            {"name": b.name, "group": b.group, "start": b.start, "end": b.end, "label": _label(b)}
            for b in bars
        ]
    )
    groups = list(dict.fromkeys(bar.group for bar in bars))
    rows = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=240))
    base = alt.Chart(frame).encode(y=rows)
    drawn = base.mark_bar(cornerRadius=2, minBandSize=14).encode(
        x=alt.X("start:Q", title="seconds since the start"),
        x2="end:Q",
        color=alt.Color(
            "group:N",
            title=None,
            scale=alt.Scale(domain=groups, range=list(COLOURS[: len(groups)])),
            legend=alt.Legend(orient="top"),
        ),
    )
    labels = base.mark_text(align="left", dx=5, color=INK).encode(x="end:Q", text="label:N")
    chart = (
        (drawn + labels)
        .properties(width=620, height=alt.Step(24))
        .configure(font="sans-serif", background="transparent")
        .configure_axis(labelColor=INK, titleColor=INK, domainColor=INK, gridOpacity=0.25)
        .configure_legend(labelColor=INK)
        .configure_view(stroke=None)
    )
    svg = vl_convert.vegalite_to_svg(chart.to_dict())
    return f"![{title}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def _label(bar: Bar) -> str:
    return f"{bar.end - bar.start:.1f} s"
