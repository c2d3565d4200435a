"""What is known of the risk of one patient, and of all patients together."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tasks.analytics.risk import charlson, lace, score
from tasks.analytics.risk.lace import Lace
from tasks.analytics.risk.score import Band, Reason, Score
from tasks.analytics.risk.validation import Validation


@dataclass(frozen=True)
class Stay:
    """The last inpatient stay that has ended: what LACE is made from."""

    days: int
    is_acute: bool
    visits: int
    discharged_at: datetime


@dataclass(frozen=True)
class Assessment:
    """One patient: counts as the database found them, and what follows from them.

    `unended` of the medications have no end and began over a year ago: they may have ended unsaid.
    """

    patient_id: int
    as_of: datetime
    reason: Reason | None
    age: int | None
    conditions: int
    medications: int
    unended: int
    charlson: int | None
    stay: Stay | None

    @property
    def score(self) -> Score | None:
        """The operational score; None where `reason` stands against one."""
        if self.reason is not None or self.age is None:
            return None
        return score.score(self.age, self.conditions, self.medications)

    @property
    def charlson_with_age(self) -> int | None:
        """Charlson's index adjusted for age; None without the index or the age."""
        if self.charlson is None or self.age is None:
            return None
        return charlson.with_age(self.charlson, self.age)

    @property
    def lace(self) -> Lace | None:
        """LACE of the last stay; None without a stay or without Charlson's index."""
        if self.charlson is None or self.stay is None:
            return None
        stay = self.stay
        return lace.lace(stay.days, self.charlson, stay.visits, is_acute=stay.is_acute)

    @property
    def lace_reason(self) -> str | None:
        """Why there is no LACE."""
        if self.stay is None:
            return lace.NO_STAY
        return charlson.NO_DIAGNOSIS if self.charlson is None else None


@dataclass(frozen=True)
class Saturated:
    """How many scored patients have a part at its cap, where it tells no more apart."""

    age: int
    conditions: int
    medications: int


@dataclass(frozen=True)
class Summary:
    """Counts of all patients; small ones are suppressed by the report, not here.

    `unended` of the scored have a medication without an end that began over a year ago.
    `validation` holds earlier scores against what happened since.
    """

    as_of: datetime
    bands: Mapping[Band, int]
    reasons: Mapping[Reason, int]
    saturated: Saturated
    unended: int
    validation: Validation

    @property
    def scored(self) -> int:
        """Patients with a score."""
        return sum(self.bands.values())

    @property
    def records(self) -> int:
        """All records: those with a score and those without one."""
        return self.scored + sum(self.reasons.values())

    @property
    def known(self) -> int:
        """Patients known at the moment, alive or not; a record that was merged is none."""
        return self.records - sum(self.reasons.get(each, 0) for each in score.NO_PATIENT)
