"""The operational score of a patient: age, chronic conditions and medications, each capped.

score = 0.3 * min(age, 100) + 0.4 * min(10 * conditions, 100) + 0.3 * min(8 * medications, 100)
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from typing import Literal


Band = Literal["low", "medium", "high"]

LABEL = "operational triage, not validated for clinical decisions"

FORMULA = "0.3 * min(age, 100) + 0.4 * min(10 * conditions, 100) + 0.3 * min(8 * medications, 100)"

RULE = (
    "conditions: distinct chronic conditions of the list that are recorded, have begun and have"
    " not ended; medications: distinct codes ordered and begun, whose end is open or to come,"
    " vaccines aside; records merged into the patient count with it"
)
"""How is counted; printed with every score."""

AGE_WEIGHT, CONDITION_WEIGHT, MEDICATION_WEIGHT = 3, 4, 3
"""Weights in tenths: 30, 40 and 30 %."""

POINTS_A_CONDITION, POINTS_A_MEDICATION = 10, 8

CAP = 100
"""What each part gives at most, before its weight."""

BANDS: tuple[Band, ...] = ("low", "medium", "high")

THRESHOLDS = (30, 60)
"""Scores from which on a patient is in the next band.

Ours: below 30 lies whoever is old but well, 60 takes all three parts together. They are not
calibrated; `validation` shows what each band came to.
"""

Reason = Literal[
    "merged into another record",
    "not known then",
    "deceased",
    "birth date unknown",
    "birth date in the future",
]
"""Why a patient has no score."""

MERGED: Reason = "merged into another record"

NO_PATIENT: tuple[Reason, ...] = (MERGED, "not known then")
"""Reasons of records that do not count as patients at that moment."""


@dataclass(frozen=True)
class Score:
    """A score from 0 to 100 with the points of its parts, all in tenths exactly."""

    age_points: float
    condition_points: float
    medication_points: float
    score: float
    band: Band


def score(age: int, conditions: int, medications: int) -> Score:
    """Score a patient; counted in whole tenths, so that the sum is exact.

    Args:
        age: in whole years.
        conditions: distinct active chronic conditions.
        medications: distinct active medications.

    Raises:
        ValueError: one of them is negative.

    """
    if min(age, conditions, medications) < 0:
        raise ValueError("age and counts cannot be negative")
    parts = (
        AGE_WEIGHT * min(age, CAP),
        CONDITION_WEIGHT * min(POINTS_A_CONDITION * conditions, CAP),
        MEDICATION_WEIGHT * min(POINTS_A_MEDICATION * medications, CAP),
    )
    total = sum(parts) / 10
    by_age, by_conditions, by_medications = (part / 10 for part in parts)
    return Score(by_age, by_conditions, by_medications, total, band(total))


def band(points: float) -> Band:
    """Return the band of a score: low below 30, medium below 60, else high."""
    return BANDS[bisect_right(THRESHOLDS, points)]


def age_on(birth_date: date, day: date) -> int:
    """Return the age in whole years; who was born on 29 February is older from 1 March on."""
    had_birthday = (day.month, day.day) >= (birth_date.month, birth_date.day)
    return day.year - birth_date.year - (0 if had_birthday else 1)
