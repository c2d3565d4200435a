"""Charts as SVG images inside the markdown, legible on light and on dark ground."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


INK = "#8a94a0"
"""Grey with a contrast of 3 to 1 or better on white and on Prefect's dark ground."""

_DECIMALS = re.compile(r"(\d\.\d\d)\d+")
"""Digits beyond a hundredth of a pixel, which make a page a third larger."""

_CLIP = re.compile(r"clip\d+")

_TAG = re.compile(r"<[^>]*>")
"""Texts between them stay as they are: a code such as S52.501A is no number of pixels."""

COLOURS = ("#2f81f7", "#3fb950", "#d29922", "#a371f7", "#f0883e")


WIDTH = 620
"""Width of a chart in pixels: that of a page's column."""


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
    return image((drawn + labels).properties(width=WIDTH, height=alt.Step(24)), title)


def image(chart: Any, title: str) -> str:  # noqa: ANN401 - altair has many kinds of charts
    """Draw a chart as a markdown image: an SVG without ground, its title as the text beside it."""
    import vl_convert  # noqa: PLC0415 - a second

    styled = (
        chart.configure(font="sans-serif", background="transparent", aria=False)
        .configure_axis(labelColor=INK, titleColor=INK, domainColor=INK, gridOpacity=0.25)
        .configure_legend(labelColor=INK, titleColor=INK)
        .configure_header(labelColor=INK, titleColor=INK)
        .configure_view(stroke=None)
    )
    drawn = vl_convert.vegalite_to_svg(styled.to_dict())
    svg = _numbered(_TAG.sub(lambda tag: _DECIMALS.sub(r"\1", tag[0]), drawn))
    return f"![{title}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def _numbered(svg: str) -> str:
    """Give clips numbers from 0 on; the library counts them over all charts of a process."""
    names = {name: f"clip{place}" for place, name in enumerate(dict.fromkeys(_CLIP.findall(svg)))}
    return _CLIP.sub(lambda match: names[match[0]], svg)


def _label(bar: Bar) -> str:
    return f"{bar.end - bar.start:.1f} s"
