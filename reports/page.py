"""The parts of a page, as GitHub-flavoured markdown that both of Prefect's UIs render."""

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import TypeGuard


_UNITS = ("B", "kB", "MB", "GB", "TB")


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table; numbers stand to the right."""
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in header]
    rule = ["---:" if column and all(map(_is_number, column)) else "---" for column in columns]
    lines = [
        [_escaped(name) for name in header],
        rule,
        *([_cell(value) for value in row] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def details(summary: str, body: str) -> str:
    """Return a part that is folded away until it is asked for."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def page(*parts: str | None) -> str:
    """Join the parts that there are."""
    return "\n\n".join(part for part in parts if part) + "\n"


def size(count: float) -> str:
    """Spell a number of bytes: `1.3 GB` (powers of 1000)."""
    for unit in _UNITS[:-1]:
        if count < 1000:  # noqa: PLR2004
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} {_UNITS[-1]}"


def duration(seconds: float) -> str:
    """Spell a duration: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 10:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    whole = timedelta(seconds=round(seconds))
    hours, rest = divmod(int(whole.total_seconds()), 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {left:02d} s" if minutes else f"{left} s"


def counted(count: int, noun: str) -> str:
    """Spell a number of things: `1 backup`, `1,204 backups`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def percent(share: float | None, decimals: int = 1) -> str:
    """Spell a share as a percentage: `99.2 %`; where there is none, a dash."""
    return f"{100 * share:.{decimals}f} %" if is_known(share) else "-"


def changed(share: float | None) -> str:
    """Spell by how much something grew or shrank: `+4.0 %`; where it cannot be said, a dash."""
    return f"{100 * share:+.1f} %" if is_known(share) else "-"


def is_known(value: float | None) -> TypeGuard[float]:
    """Tell whether there is a number: a frame says NaN where a row says None."""
    return value is not None and not math.isnan(value)


def _cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return _escaped(text) or "-"


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)
