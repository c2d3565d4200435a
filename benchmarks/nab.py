"""The scoring of the Numenta Anomaly Benchmark, from its published formula.

Lavin and Ahmad, Evaluating Real-time Anomaly Detection Algorithms, 2015: a detection in a window
earns by how early it is, one outside costs by how far it lies behind a window, a window without
one costs its weight. 0 is a detector that never alerts, 100 a perfect one.
"""

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import exp
from pathlib import Path


FALSE_POSITIVE = 0.11
"""The weights of the standard profile; a hit and a miss weigh 1."""

PROBATION = 0.15
"""Share of a file in which detections are not scored, of 5,000 points at most."""

BEYOND = 3.0
"""So many windows behind one, a false alarm costs in full."""


@dataclass(frozen=True)
class Labelled:
    """A file of the benchmark: its points, and the windows as first and last index."""

    name: str
    moments: list[datetime]
    values: list[float]
    windows: list[tuple[int, int]]


@dataclass(frozen=True)
class Score:
    """What detections of one or more files earned."""

    raw: float = 0.0
    windows: int = 0
    found: int = 0
    false: int = 0
    points: int = 0

    def __add__(self, other: "Score") -> "Score":
        """Add that of another file."""
        mine, its = vars(self), vars(other)
        return Score(**{name: mine[name] + its[name] for name in mine})

    @property
    def standard(self) -> float:
        """The score between 0 (no alert) and 100 (perfect)."""
        return 100 * (self.raw + self.windows) / (2 * self.windows)

    @property
    def recall(self) -> float:
        """Share of the windows in which there is a detection."""
        return self.found / self.windows

    @property
    def false_per_1000(self) -> float:
        """Detections outside of windows by 1,000 points."""
        return 1000 * self.false / self.points


def sigmoid(position: float) -> float:
    """Weigh a position: -1 the start of a window, 0 its end, above 0 behind it."""
    return -1.0 if position > BEYOND else 2 / (1 + exp(5 * position)) - 1


def score(points: int, windows: Sequence[tuple[int, int]], detections: Iterable[int]) -> Score:
    """Score the detections of a file of so many points, all by index."""
    begun = int(PROBATION * min(points, 5000))
    earned: dict[tuple[int, int], float] = {}
    false = 0
    cost = 0.0
    for at in sorted(detections):
        if at < begun:
            continue
        window = next((each for each in windows if each[0] <= at <= each[1]), None)
        if window is None:
            false += 1
            cost += FALSE_POSITIVE * _behind(at, windows)
        else:
            earned.setdefault(window, _inside(at, *window))
    raw = sum(earned.values()) - (len(windows) - len(earned)) + cost
    return Score(raw, len(windows), len(earned), false, points)


def _inside(at: int, first: int, last: int) -> float:
    width = last - first + 1
    return sigmoid(-(last - at + 1) / width) / sigmoid(-1.0)


def _behind(at: int, windows: Sequence[tuple[int, int]]) -> float:
    before = [each for each in windows if each[1] < at]
    if not before:
        return -1.0
    first, last = before[-1]
    return sigmoid((at - last) / (last - first))


def load(folder: Path) -> list[Labelled]:
    """Read the files and labels that lie in a folder."""
    labels = json.loads((folder / "labels.json").read_text())
    return [_labelled(folder, name, each["windows"]) for name, each in labels.items()]


def _labelled(folder: Path, name: str, windows: list[list[str]]) -> Labelled:
    text = gzip.decompress((folder / f"{name.replace('/', '__')}.gz").read_bytes()).decode()
    rows = [line.split(",") for line in text.splitlines()[1:]]
    moments = [datetime.fromisoformat(row[0]) for row in rows]
    found = []
    for start, end in windows:
        first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
        inside = [number for number, moment in enumerate(moments) if first <= moment <= last]
        found.append((inside[0], inside[-1]))
    assert all(one[1] < other[0] for one, other in pairwise(found))  # noqa: S101 - as published
    return Labelled(name, moments, [float(row[1]) for row in rows], found)
