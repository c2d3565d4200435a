"""The frames of a report, held to their rules."""

import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from tasks.analytics.gate.check import Check, attempted
from tasks.analytics.gate.rules import ColumnRules, FrameRules, Fresh
from tasks.analytics.gate.validation import Asked, validate


if TYPE_CHECKING:
    from pandas import DataFrame


Frames = Mapping[str, "DataFrame"]

_FINITE = sys.float_info.max


def check_frames(frames: Frames, expected: Mapping[str, FrameRules], now: datetime) -> list[Check]:
    """Hold every frame to its rules; `now` is the as-of time of the report, with its zone.

    A frame without rules and rules without a frame are errors, since nothing is known of them; so
    is a frame of which the checks cannot be made.
    """
    checks = []
    for name in sorted(frames.keys() | expected.keys()):
        if name not in frames or name not in expected:
            missing = "frame" if name not in frames else "rule"
            checks.append(Check(f"{name} is there", "error", seen=f"no {missing} of this name"))
            continue
        ask = partial(_checked, name, frames, expected[name], now)
        checks += attempted(f"{name} can be checked", ask)
    return checks


def _checked(name: str, frames: Frames, rules: FrameRules, now: datetime) -> list[Check]:
    asked, broken = _asked(name, frames, rules, now)
    return [*validate(frames[name], asked), *broken]


def _asked(
    name: str, frames: Frames, rules: FrameRules, now: datetime
) -> tuple[list[Asked], list[Check]]:
    """Return what is asked of a frame, and the checks of which the other side is not there."""
    frame = frames[name]
    asked = [*_shape(name, frame, rules)]
    for column, each in rules.columns.items():
        asked += _column(name, column, each, frame)
    if rules.fresh:
        asked.append(_fresh(name, rules.fresh, now))
    for column in rules.shares if len(frame) else ():
        low, high = 1 - rules.tolerance, 1 + rules.tolerance
        asked.append(_sum(f"{name}: {column} sums to one", column, low, high))
    for column, volume in rules.volume.items():
        low, high = volume.prior / volume.factor, max(volume.prior, 1) * volume.factor
        title = f"{name}: {column} is near the period before"
        asked.append(_sum(title, column, low, high, is_critical=False))
    broken = []
    for column, total in rules.adds_up.items():
        title = f"{name}: {column} adds up"
        whole = _total(frames, total)
        if whole is None:
            broken.append(Check(title, "error", seen="there is no total"))
            continue
        slack = rules.tolerance * max(1.0, abs(whole)) if isinstance(whole, float) else 0
        asked.append(_sum(title, column, whole - slack, whole + slack))
    return asked, broken


def _shape(name: str, frame: "DataFrame", rules: FrameRules) -> Iterator[Asked]:
    columns = list(rules.columns)
    missing = [column for column in columns if column not in frame.columns]
    extra = sum(column not in rules.columns for column in frame.columns)
    wrong = f"missing: {', '.join(missing)}" if missing else "their order"
    yield Asked(
        f"{name}: columns",
        lambda known: known.ExpectTableColumnsToMatchOrderedList(column_list=columns),
        seen=f"{extra} more than expected" if extra and not missing else wrong,
    )
    least, most = rules.rows
    yield Asked(
        f"{name}: rows",
        lambda known: known.ExpectTableRowCountToBeBetween(min_value=least, max_value=most),
        seen=f"{len(frame)} rows",
    )
    if len(rules.unique) == 1:
        yield Asked(
            f"{name}: {rules.unique[0]} is unique",
            lambda known: known.ExpectColumnValuesToBeUnique(column=rules.unique[0]),
            rules.unique,
        )
    elif rules.unique:
        yield Asked(
            f"{name}: {', '.join(rules.unique)} is unique",
            lambda known: known.ExpectCompoundColumnsToBeUnique(column_list=list(rules.unique)),
            rules.unique,
        )


def _column(name: str, column: str, rules: ColumnRules, frame: "DataFrame") -> Iterator[Asked]:
    if not rules.is_nullable:
        yield Asked(
            f"{name}: {column} is never null",
            lambda known: known.ExpectColumnValuesToNotBeNull(column=column),
            (column,),
        )
    if rules.least is not None or rules.most is not None or _is_float(frame, column):
        yield Asked(
            f"{name}: {column} is in its range",
            lambda known: known.ExpectColumnValuesToBeBetween(
                column=column,
                min_value=-_FINITE if rules.least is None else rules.least,
                max_value=_FINITE if rules.most is None else rules.most,
            ),
            (column,),
        )
    allowed = rules.allowed
    if allowed is not None:
        yield Asked(
            f"{name}: {column} is one of its values",
            lambda known: known.ExpectColumnValuesToBeInSet(
                column=column, value_set=sorted(allowed, key=str)
            ),
            (column,),
        )


def _fresh(name: str, fresh: Fresh, now: datetime) -> Asked:
    return Asked(
        f"{name}: {fresh.column} is fresh",
        lambda known: known.ExpectColumnMaxToBeBetween(
            column=fresh.column, min_value=now - fresh.within, max_value=now
        ),
        (fresh.column,),
    )


def _sum(title: str, column: str, low: float, high: float, *, is_critical: bool = True) -> Asked:
    def make(known: Any) -> Any:  # noqa: ANN401 - the library is untyped
        return known.ExpectColumnSumToBeBetween(column=column, min_value=low, max_value=high)

    return Asked(title, make, (column,), is_critical)


def _total(frames: Frames, total: float | tuple[str, str]) -> float | None:
    """Return the total, a whole number where its column is one; nothing where there is none."""
    if not isinstance(total, tuple):
        return total
    frame, column = total
    if frame not in frames or column not in frames[frame].columns:
        return None
    values = frames[frame][column]
    if values.dtype.kind not in "iuf" or values.isna().any():
        return None
    return float(values.sum()) if values.dtype.kind == "f" else int(values.sum())


def _is_float(frame: "DataFrame", column: str) -> bool:
    """Tell whether a column may hold an infinite number; numbers stand among objects as well."""
    if column not in frame.columns:
        return False
    if frame[column].dtype.kind != "O":
        return frame[column].dtype.kind == "f"
    from pandas.api.types import infer_dtype  # noqa: PLC0415 - half a second

    return infer_dtype(frame[column]) in {"floating", "mixed-integer-float"}
