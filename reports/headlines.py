"""What every report begins and ends with: the headline figures, and where figures come from."""

from collections.abc import Mapping, Sequence

from reports.page import changed, details, duration, page, percent, table
from tasks.analytics.findings import Origin
from tasks.analytics.kpis import Kpi
from tasks.analytics.suppression.tables import SUPPRESSED
from tasks.analytics.suppression.tables import spelled as counted
from tasks.analytics.window import Window
from tasks.control.clock import readable


MARKS = {"met": "met", "missed": "**missed**", "no data": "no data", "-": "-"}


def now(kpi: Kpi) -> str:
    """Spell the value of a headline; what is not known is no data."""
    if "value" in kpi.suppressed:
        return SUPPRESSED
    return "no data" if kpi.value is None else spelled(kpi, kpi.value)


def _before(kpi: Kpi) -> str:
    if "before" in kpi.suppressed:
        return SUPPRESSED
    return "-" if kpi.before is None else spelled(kpi, kpi.before)


def spelled(kpi: Kpi, value: float) -> str:
    """Spell a value in the unit of its headline."""
    if kpi.unit == "share":
        return percent(value, 2)
    if kpi.unit == "ms":
        return f"{value:,.0f} ms"
    return duration(value) if kpi.unit == "s" else f"{value:,.0f}"


def headline(kpis: Sequence[Kpi], names: Sequence[str]) -> str:
    """Return the three figures that a reader takes away."""
    chosen = [kpi for name in names for kpi in kpis if kpi.name == name]
    return " · ".join(f"**{now(kpi)}** {kpi.name.lower()}" + _beside(kpi) for kpi in chosen)


def _beside(kpi: Kpi) -> str:
    return f" ({changed(kpi.change)})" if kpi.change is not None else ""


def opening(title: str, kpis: Sequence[Kpi], names: Sequence[str]) -> str:
    """Return what a page of targets begins with: verdict, three figures, what is missed, all."""
    wrong = missed(kpis)
    return page(
        f"# {title}",
        headline(kpis, names),
        "\n".join(f"> {each}" for each in wrong) or None,
        board(kpis),
    ).rstrip()


def targets(kpis: Sequence[Kpi]) -> str:
    """Return the verdict on all targets; one without data is not met."""
    wrong, without = missed(kpis), unknown(kpis)
    if wrong:
        return f"{len(wrong)} OF THE TARGETS MISSED"
    return f"{len(without)} OF THE TARGETS WITHOUT DATA" if without else "ALL TARGETS MET"


def unknown(kpis: Sequence[Kpi]) -> list[str]:
    """Return the figures that have a target, and no data to hold against it."""
    return [kpi.name for kpi in kpis if kpi.status == "no data"]


def missed(kpis: Sequence[Kpi]) -> list[str]:
    """Return what misses its target, each in a few words."""
    return [
        f"{kpi.name}: {now(kpi)}, wanted {_wanted(kpi)}" for kpi in kpis if kpi.status == "missed"
    ]


def board(kpis: Sequence[Kpi]) -> str:
    """Return all headline figures as a table."""
    rows = [
        (
            kpi.name,
            now(kpi),
            _before(kpi),
            changed(kpi.change),
            _wanted(kpi),
            MARKS[kpi.status],
        )
        for kpi in kpis
    ]
    return table(("figure", "now", "period before", "change", "target", "status"), rows)


def _wanted(kpi: Kpi) -> str:
    if kpi.target is None:
        return "-"
    return f"{'at least' if kpi.is_floor else 'at most'} {spelled(kpi, kpi.target)}"


def origin(
    known: Origin,
    windows: Mapping[str, Window],
    rows: Mapping[str, int | None],
    *,
    is_compared: bool = True,
) -> str:
    """Return where the figures come from: enough to ask for the same again.

    Args:
        known: source, moment and version.
        windows: what was looked at, by what it was of.
        rows: how many rows of the platform the figures are of, by what they are; None: that may
            not be shown.
        is_compared: whether the windows before were looked at as well.

    """
    lines: list[tuple[str, object]] = [
        ("stanza", known.stanza),
        ("read from", known.source),
        ("as of", readable(known.as_of)),
        ("data as of", readable(known.data_as_of)),
        *((f"window, {name}", window) for name, window in windows.items()),
        *((f"window before, {name}", w.prior) for name, w in windows.items() if is_compared),
        *((f"rows, {name}", counted(count)) for name, count in rows.items()),
        ("hours and weekdays in", known.timezone),
        ("version", known.version),
    ]
    return "## Where this comes from\n\n" + table(("", ""), lines)


def definitions(said: Mapping[str, str]) -> str:
    """Return what words mean on the page, folded away."""
    return details(
        "Definitions", "\n".join(f"- **{word}**: {meaning}" for word, meaning in said.items())
    )


def defined(kpis: Sequence[Kpi]) -> dict[str, str]:
    """Return the definitions of the headline figures."""
    return {kpi.name: f"{kpi.definition}." for kpi in kpis}
