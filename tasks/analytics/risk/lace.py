"""LACE: length of stay, acute admission, comorbidity, emergency visits.

It tells early death or unplanned readmission within 30 days of a discharge. Source: van Walraven
et al., CMAJ 2010;182:551. They took Charlson's index with the weights of Schneeweiss (2003); here
it is the index shown beside it, so that the two agree.
"""

from bisect import bisect_right
from dataclasses import dataclass


LENGTHS = (1, 2, 3, 4, 7, 14)
"""Days of stay from which on the next of `LENGTH_POINTS` is given."""

LENGTH_POINTS = (0, 1, 2, 3, 4, 5, 7)

ACUTE_POINTS = 3

COMORBIDITY_POINTS = (0, 1, 2, 3, 5)
"""By Charlson's index; the last from four on."""

MOST_VISITS = 4

HIGH = 10
"""From here on the risk is called high."""

ACUTE_HOURS = 24
"""An admission is taken to be acute if an emergency visit went on or had ended that shortly before.

The contract has no type of admission (PV1-4). Such a visit does not count among those before.
"""

VISIT_MONTHS = 6

RULE = (
    "acute: an emergency visit went on or had ended less than 24 hours before, as the contract has"
    " no type of admission; comorbidity: Charlson's index, without age"
)
"""How is counted; printed with every index."""

NO_STAY = "no inpatient stay has ended"


@dataclass(frozen=True)
class Lace:
    """The index with its four parts."""

    length: int
    acute: int
    comorbidity: int
    emergency: int

    @property
    def score(self) -> int:
        """The index: 0 to 19 points."""
        return self.length + self.acute + self.comorbidity + self.emergency

    @property
    def is_high(self) -> bool:
        """Whether it is ten or more."""
        return self.score >= HIGH


def lace(days: int, charlson: int, visits: int, *, is_acute: bool) -> Lace:
    """Return the index of a stay.

    Args:
        days: from the day of admission to the day of discharge; 0 where both are one day.
        charlson: Charlson's index, without age.
        visits: to the emergency department in the six months before the admission.
        is_acute: whether the admission was an emergency.

    """
    return Lace(
        LENGTH_POINTS[bisect_right(LENGTHS, days)],
        ACUTE_POINTS if is_acute else 0,
        COMORBIDITY_POINTS[min(charlson, len(COMORBIDITY_POINTS) - 1)],
        min(visits, MOST_VISITS),
    )
