"""Anomalies on the public NAB files, beside published detectors, and on noise."""

import json
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path

from benchmarks.nab import Labelled, Score, load, score
from tasks.analytics.anomalies.detect import of_series
from tasks.analytics.anomalies.model import Rules


FOLDER = Path(__file__).parents[2] / "shared" / "data" / "nab"

GRID = {
    "level": (2, 3, 4),
    "level_sigmas": (1.5, 2.0),
    "spread_sigmas": (1.5, 1.8),
    "tail": (0.9973, 0.9985),
}
"""From which the rule is chosen on one half of the files, to be scored on the other."""

NOISE = 8000
"""Buckets of each kind of noise."""


def scored(file: Labelled, rules: Rules | None = None) -> Score:
    """Score the starts of the episodes that are found in a file."""
    found = of_series(zip(file.moments, file.values, strict=True), rules)
    index = {moment: at for at, moment in reversed(list(enumerate(file.moments)))}
    starts = [index[each.start] for each in found.episodes]
    return score(len(file.values), file.windows, starts)


def noises(seed: int = 1) -> Iterator[tuple[str, list[tuple[datetime, float]]]]:
    """Yield hourly series in which nothing is wrong."""
    chance, begin = random.Random(seed), datetime(2024, 1, 1)  # noqa: DTZ001, S311 - any, seeded
    hours = [begin + timedelta(hours=number) for number in range(NOISE)]
    for rate in (0.1, 0.5, 3, 30):
        yield f"Poisson({rate:g})", [(hour, _poisson(chance, rate)) for hour in hours]
    for memory in (0.0, 0.5, 0.8, 0.95):
        value, series = 0.0, []
        for hour in hours:
            value = memory * value + chance.gauss(0, 1)
            series.append((hour, 50 + value))
        yield f"AR(1) {memory:g}", series


def _poisson(chance: random.Random, rate: float) -> float:
    """Count the arrivals in a unit of time, by the gaps between them."""
    count, at = 0, chance.expovariate(rate)
    while at < 1:
        count, at = count + 1, at + chance.expovariate(rate)
    return float(count)


def held_out(files: list[Labelled]) -> dict[str, float]:
    """Score files by the rule that was chosen without them: half by half, and one by one."""
    rules = [
        replace(Rules(), **dict(zip(GRID, each, strict=True))) for each in product(*GRID.values())
    ]
    table = [[scored(file, rule) for file in files] for rule in rules]

    def chosen_without(left: set[int]) -> Score:
        kept = set(range(len(files))) - left
        best = max(table, key=lambda row: sum((row[at] for at in kept), Score()).standard)
        return sum((best[at] for at in left), Score())

    everything = range(len(files))
    even, odd = set(everything[::2]), set(everything[1::2])
    one_by_one = sum((chosen_without({at}) for at in everything), Score())
    return {
        "even files": chosen_without(even).standard,
        "odd files": chosen_without(odd).standard,
        "each file": one_by_one.standard,
    }


def main() -> None:
    """Print the scores by file and in all, those published, noise, and files held out."""
    files, total, begun = load(FOLDER), Score(), time.perf_counter()
    for file in files:
        one = scored(file)
        total += one
        print(f"  {file.name:<58} {one.found}/{one.windows} found, {one.false:>2} false")
    print(f"  all {total.points:,} points in {time.perf_counter() - begun:.1f} s")
    print(
        f"  standard {total.standard:.1f}, recall {total.recall:.2f},"
        f" {total.false_per_1000:.2f} false episodes per 1,000 points"
    )
    published = json.loads((FOLDER / "nab_published_scores.json").read_text())
    for name, each in sorted(published.items(), key=lambda item: -item[1]["standard"]):
        print(f"    published {name:<20} {each['standard']:.1f}")
    for kind, series in noises():
        print(f"  {kind:<14} {1000 * len(of_series(series).episodes) / NOISE:.2f} per 1,000")
    for left, standard in held_out(files).items():
        print(f"  {left:<12} by the rule chosen without: {standard:.1f}")
