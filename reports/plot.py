"""Charts of figures: lines over time, bars by category, and the hours of a week."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reports.chart import COLOURS, INK, WIDTH, image


if TYPE_CHECKING:
    import pandas as pd

HEIGHT = 200

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def lines(frame: "pd.DataFrame", x: str, series: Mapping[str, str], title: str, unit: str) -> str:
    """Draw columns over time, one line each; where a value is missing the line breaks.

    Args:
        frame: a row a moment.
        x: its column of aware moments or dates.
        series: columns, with the names that they are drawn under.
        title: what is read out instead of the image.
        unit: title of the vertical axis.

    """
    import altair as alt  # noqa: PLC0415 - a second

    long = frame.melt(x, list(series), "column", "value").astype({"value": float})
    long["name"] = long["column"].map(series)
    names = list(series.values())
    chart = (
        alt.Chart(long)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X(
                f"{x}:T",
                title="UTC",
                scale=alt.Scale(type="utc"),
                axis=alt.Axis(labelOverlap=True, format="%d %H:%M"),
            ),
            y=alt.Y("value:Q", title=unit, scale=alt.Scale(zero=True)),
            color=_colours(alt, "name:N", names),
        )
    )
    return image(chart.properties(width=WIDTH, height=HEIGHT), title)


def bars(
    names: Sequence[str], values: Mapping[str, Sequence[float | None]], title: str, unit: str
) -> str:
    """Draw bars beside each other, a group a name; a value that is suppressed has none.

    Args:
        names: of the categories, from above to below.
        values: the series by name, each with a value a category.
        title: what is read out instead of the image.
        unit: title of the horizontal axis.

    """
    import altair as alt  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    rows = [
        {"name": name, "series": series, "value": value}
        for series, column in values.items()
        for name, value in zip(names, column, strict=True)
    ]
    frame = pd.DataFrame(rows).astype({"value": float})
    several = len(values) > 1
    chart = (
        alt.Chart(frame)
        .mark_bar(cornerRadius=2)
        .encode(
            y=alt.Y("name:N", sort=list(names), title=None, axis=alt.Axis(labelLimit=260)),
            x=alt.X("value:Q", title=unit),
            color=_colours(alt, "series:N", list(values)) if several else alt.value(COLOURS[0]),
            **({"yOffset": alt.YOffset("series:N", sort=list(values))} if several else {}),
        )
    )
    step = alt.Step(11 if several else 18)
    return image(chart.properties(width=WIDTH - 120, height=step), title)


def week(frame: "pd.DataFrame", value: str, title: str) -> str:
    """Draw the hours of a week as a grid: the fuller the colour, the more there was.

    Args:
        frame: columns `weekday` (0 is Monday), `hour` and the value's.
        value: the column that is drawn.
        title: what is read out instead of the image.

    """
    import altair as alt  # noqa: PLC0415

    named = frame.assign(day=[WEEKDAYS[day] for day in frame["weekday"]])
    chart = (
        alt.Chart(named)
        .mark_rect(color=COLOURS[0], stroke=INK, strokeOpacity=0.15)
        .encode(
            x=alt.X("hour:O", title="hour of the day", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("day:N", sort=list(WEEKDAYS), title=None),
            opacity=alt.Opacity(
                f"{value}:Q", title=value, scale=alt.Scale(range=[0.05, 1], zero=True)
            ),
        )
    )
    return image(chart.properties(width=WIDTH - 60, height=alt.Step(20)), title)


def fan(history: "pd.DataFrame", forecast: "pd.DataFrame", title: str, unit: str) -> str:
    """Draw a history, and a forecast with its 80 and 95 % intervals.

    Args:
        history: columns `date`, `value`.
        forecast: columns `date`, `mean`, `lo80`, `hi80`, `lo95`, `hi95`.
        title: what is read out instead of the image.
        unit: title of the vertical axis.

    """
    import altair as alt  # noqa: PLC0415

    at = alt.X(
        "date:T",
        title=None,
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(labelOverlap=True, format="%Y-%m-%d"),
    )
    past = alt.Chart(history).mark_line(color=INK, strokeWidth=1.5)
    ahead = alt.Chart(forecast)
    band = ahead.mark_area(color=COLOURS[0], opacity=0.2)
    layers = alt.layer(
        past.encode(x=at, y=alt.Y("value:Q", title=unit)),
        band.encode(x=at, y="lo95:Q", y2="hi95:Q"),
        band.encode(x=at, y="lo80:Q", y2="hi80:Q"),
        ahead.mark_line(color=COLOURS[0], strokeWidth=2).encode(x=at, y="mean:Q"),
    )
    return image(layers.properties(width=WIDTH, height=HEIGHT), title)


def _colours(alt: Any, field: str, names: Sequence[str]) -> Any:  # noqa: ANN401 - altair's
    scale = alt.Scale(domain=list(names), range=list(COLOURS[: len(names)]))
    return alt.Color(field, title=None, scale=scale, legend=alt.Legend(orient="top"))
