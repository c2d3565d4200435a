"""What a frame and a page have to be like, declared by whoever builds the report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta


@dataclass(frozen=True)
class ColumnRules:
    """What the values of one column may be; a bound that is `None` is open, yet never infinite."""

    least: float | None = None
    most: float | None = None
    allowed: frozenset[object] | None = None
    is_nullable: bool = False


COUNT = ColumnRules(least=0)

SHARE = ColumnRules(least=0, most=1)

ANY = ColumnRules()


@dataclass(frozen=True)
class Fresh:
    """The newest time of a column is at most so old, and not in the future."""

    column: str
    within: timedelta


@dataclass(frozen=True)
class Volume:
    """A sum of the period before, and the factor by which this one's may differ from it."""

    prior: float
    factor: float = 3.0


@dataclass(frozen=True)
class FrameRules:
    """What a frame has to be like.

    `columns` are exact and in order. `adds_up` gives a column the total that it must sum to: a
    number, or a frame and its column. `shares` are columns that sum to one over the rows, within
    `tolerance`; a frame without rows has none. `rows` is the least and the most of rows. `volume`
    warns and does not block.
    """

    columns: Mapping[str, ColumnRules]
    adds_up: Mapping[str, float | tuple[str, str]] = field(default_factory=dict)
    shares: tuple[str, ...] = ()
    tolerance: float = 1e-6
    rows: tuple[int, int | None] = (1, None)
    fresh: Fresh | None = None
    unique: tuple[str, ...] = ()
    volume: Mapping[str, Volume] = field(default_factory=dict)


@dataclass(frozen=True)
class PageRules:
    """What a page has to be like.

    `clinical` names, by the heading above a table, the columns that count patients; each must be
    there. `shown` are the counts of people that the page may tell, where it tells any. Dates lie in
    `first` to `last`, which is the window and the horizon. `codes` are tokens that look like
    identifiers and are none: codes of diagnoses, of medications. `names`, of connections, may look
    like the number of a record; whether they are one of a patient is asked still.
    """

    first: date
    last: date
    clinical: Mapping[str, frozenset[str]] = field(default_factory=dict)
    shown: frozenset[int] | None = None
    codes: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    most_bytes: int = 200_000
