"""The verb `forecast`: of a file, or of the platform's own volumes."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.verbs.output import AsJson, say, screen, show_table
from flows.verbs.report import AsOf, Html, of_file, show_report
from tasks.control.errors import Refused


if TYPE_CHECKING:
    from tasks.analytics.findings import Findings
    from tasks.analytics.forecast.model import Forecast


def forecast(
    file: Annotated[
        Path | None, typer.Argument(help="CSV of `date,value` or `timestamp,value`.")
    ] = None,
    horizon: Annotated[
        int | None,
        typer.Option(min=1, max=3_650, help="Days or months ahead; by default 30 or 12."),
    ] = None,
    origins: Annotated[
        list[str] | None,
        typer.Option(help="Forecast from each of these last-known days instead of the last one."),
    ] = None,
    as_of: AsOf = None,
    html: Html = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Forecast a series by the method that its own backtest chooses, with that backtest.

    Without a file: the platform's own messages, visits and new patients a day.
    """
    from tasks.analytics.forecast import forecast as engine  # noqa: PLC0415 - takes a second
    from tasks.analytics.forecast import reading  # noqa: PLC0415 - likewise

    days = [_origin(text) for text in origins or []]
    if file is None:
        _of_platform(days, horizon, as_of, html, as_json=as_json)
        return
    of_file(as_of, html)
    series = reading.read_series(file)
    if not days:
        made = engine.forecast(series, horizon)
        say(of_forecast(made), lambda: show_forecast(made), as_json=as_json)
        return
    several = engine.forecast_from(series, days, horizon)
    document = {
        "origins": [
            {"origin": day} | of_forecast(each) for day, each in zip(days, several, strict=True)
        ]
    }
    say(document, lambda: show_origins(days, several), as_json=as_json)


def _of_platform(
    days: list[date],
    horizon: int | None,
    as_of: datetime | None,
    html: Path | None,
    *,
    as_json: bool,
) -> None:
    """Show the platform's forecasts, as they are published."""
    if days or horizon:
        raise Refused(
            "the platform's own volumes are forecast 30 days ahead, from the last full day",
            seen="--origins or --horizon without a file",
            do="choose the last day by --as-of, or give a file",
        )
    show_report("forecast", as_of, html, of_outlooks, as_json=as_json)


def of_outlooks(found: "Findings") -> dict[str, Any]:
    """Return what `--json` says of the platform's volumes."""
    return {
        "series": [
            {"name": each.daily.name, "refusal": each.refusal}
            | (of_forecast(each.forecast) if each.forecast else {})
            for each in found.outlooks
        ]
    }


def _origin(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Refused(
            "an origin is no date", expected="YYYY-MM-DD", do="correct --origins"
        ) from None


def of_forecast(made: "Forecast") -> dict[str, Any]:
    """Return what `--json` says of a forecast."""
    return {
        "history": made.history,
        "masked": made.masked,
        "frequency": made.frequency,
        "as_of": made.origin,
        "method": made.method,
        "reason": made.reason,
        "horizon": made.horizon,
        "forecast": [vars(period) for period in made.forecast],
        "backtest": vars(made.backtest),
        "candidates": made.candidates,
    }


def show_forecast(made: "Forecast") -> None:
    """Print the periods ahead, the method in words, and how it did in the backtest."""
    from tasks.analytics.forecast.candidates import IN_WORDS  # noqa: PLC0415 - as above

    title = f"Forecast from {made.origin}, {made.history:,} values known, {made.masked:,} masked"
    rows = [
        (
            period.date.strftime("%a %Y-%m-%d"),
            f"{period.mean:,.1f}",
            f"{period.lo80:,.1f} to {period.hi80:,.1f}",
            f"{period.lo95:,.1f} to {period.hi95:,.1f}",
        )
        for period in made.forecast
    ]
    show_table(title, ("date", "mean", "80 %", "95 %"), rows)
    screen.print(f"Method    {made.method}: {IN_WORDS[made.method]}")
    screen.print(f"Why       {made.reason}")
    screen.print(f"Backtest  {_backtest(made)}")


def _backtest(made: "Forecast") -> str:
    test = made.backtest
    return (
        f"{test.folds} folds to {test.as_of}: MASE {_figure(test.mase)}"
        f" (seasonal naive {_figure(test.naive_mase)}), WAPE {_figure(test.wape)},"
        f" {test.coverage80:.0%} within the 80 % interval, {test.coverage95:.0%} within the 95 %"
    )


def _figure(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.3f}"


def show_origins(days: Sequence[date], several: "Sequence[Forecast]") -> None:
    """Print a line for each origin."""
    rows = [
        (day, made.method, made.horizon, f"{made.forecast[0].mean:,.1f}", _backtest(made))
        for day, made in zip(days, several, strict=True)
    ]
    show_table("Forecasts", ("origin", "method", "horizon", "first mean", "backtest"), rows)


VERBS: tuple[Callable[..., None], ...] = (forecast,)
