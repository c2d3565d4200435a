"""What the score was worth: held against what happened to the patients afterwards.

Everything is computed from a tally, at most 1,001 rows, one for each score that occurs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import sqrt

from tasks.analytics.proportions import Z95, wilson
from tasks.analytics.risk.score import BANDS, Band, band


FEW_OUTCOMES = 100
"""Below so many outcomes a validation is weak (Collins et al., Stat Med 2016;35:214)."""


@dataclass(frozen=True)
class Tally:
    """Patients of one score: those who had the outcome, and the others."""

    score: float
    outcomes: int
    others: int


@dataclass(frozen=True)
class Discrimination:
    """The area under the curve, and its 95 % interval where it has a variance."""

    auc: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Observed:
    """What came of one band: the rate with its Wilson interval; None where nobody was in it."""

    band: Band
    patients: int
    outcomes: int
    rate: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Validation:
    """Scores of the day `index` against the `days` after it."""

    index: datetime
    days: int
    patients: int
    outcomes: int
    discrimination: Discrimination | None
    bands: tuple[Observed, ...]
    warnings: tuple[str, ...]

    @property
    def is_monotone(self) -> bool:
        """Whether no band has a lower observed rate than one below it."""
        return is_monotone(self.bands)


def validate(tallies: Sequence[Tally], index: datetime, days: int) -> Validation:
    """Return the validation that a tally gives, with whatever stands against trusting it."""
    outcomes = sum(each.outcomes for each in tallies)
    patients = outcomes + sum(each.others for each in tallies)
    found, bands = discrimination(tallies), observed(tallies)
    return Validation(
        index, days, patients, outcomes, found, bands, _warnings(patients, outcomes, found, bands)
    )


def discrimination(tallies: Sequence[Tally]) -> Discrimination | None:
    """Return how well scores tell apart who had the outcome; None if all or none had it.

    The area is the chance that a patient with the outcome scores higher than one without, ties
    counting one half. The interval is by DeLong et al., Biometrics 1988;44:837, cut at 0 and 1;
    there is none where the variance is 0, as in a complete separation of a few.
    """
    ordered = sorted(tallies, key=lambda each: each.score)
    m, n = (sum(each.outcomes for each in ordered), sum(each.others for each in ordered))
    if not m or not n:
        return None
    outcomes_below = others_below = 0
    of_outcomes, of_others = [], []  # how often, and the share of the other kind that is beaten
    for each in ordered:
        of_outcomes.append((each.outcomes, (others_below + each.others / 2) / n))
        of_others.append((each.others, 1 - (outcomes_below + each.outcomes / 2) / m))
        outcomes_below += each.outcomes
        others_below += each.others
    auc = sum(count * share for count, share in of_outcomes) / m
    if min(m, n) == 1:
        return Discrimination(auc, None)
    error = sqrt(_variance(of_outcomes, auc) / m + _variance(of_others, auc) / n)
    interval = (max(0.0, auc - Z95 * error), min(1.0, auc + Z95 * error))
    return Discrimination(auc, interval if error else None)


def _variance(shares: Sequence[tuple[int, float]], mean: float) -> float:
    count = sum(times for times, _ in shares)
    return sum(times * (share - mean) ** 2 for times, share in shares) / (count - 1)


def observed(tallies: Sequence[Tally]) -> tuple[Observed, ...]:
    """Return what came of each band, the lowest first."""
    return tuple(_observed(name, tallies) for name in BANDS)


def _observed(name: Band, tallies: Sequence[Tally]) -> Observed:
    inside = [each for each in tallies if band(each.score) == name]
    outcomes = sum(each.outcomes for each in inside)
    patients = outcomes + sum(each.others for each in inside)
    if not patients:
        return Observed(name, 0, 0, None, None)
    return Observed(name, patients, outcomes, outcomes / patients, wilson(outcomes, patients))


def is_monotone(bands: Sequence[Observed]) -> bool:
    """Tell whether the rates never fall from a band to the next; empty bands are passed over."""
    rates = [each.rate for each in bands if each.rate is not None]
    return all(lower <= higher for lower, higher in pairwise(rates))


def _warnings(
    patients: int, outcomes: int, found: Discrimination | None, bands: Sequence[Observed]
) -> tuple[str, ...]:
    """List what stands against trusting the score, without a count that may be small."""
    if not patients:
        return ("nobody was known at the index date: nothing is validated",)
    if found is None:
        return ("all or none had the outcome: nothing is validated",)
    low = found.interval[0] if found.interval else 0.0
    return tuple(
        text
        for text, holds in (
            (
                "bands are not monotone: a higher band had a lower observed rate",
                not is_monotone(bands),
            ),
            (
                f"fewer than {FEW_OUTCOMES} outcomes: the figures are uncertain",
                outcomes < FEW_OUTCOMES,
            ),
            ("the score is not shown to tell better than chance", low <= 0.5),  # noqa: PLR2004
            ("a band is empty", any(each.rate is None for each in bands)),
        )
        if holds
    )
