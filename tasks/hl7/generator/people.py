"""Generated patients: each a pure function of the seed and of a number, so that none is stored."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from random import Random

from tasks.hl7.generator import names
from tasks.hl7.generator.conditions import Condition, chronic


_FEMALE = 0.53
_UNKNOWN_SEX = 0.004
_MIDDLE_NAME = 0.4

_AGES = ((0, 17), (18, 39), (40, 59), (60, 74), (75, 97))
_AGE_WEIGHTS = (14, 19, 22, 25, 20)
"""Ages in years as a hospital sees them: more of the old than live outside."""


@dataclass(frozen=True, slots=True)
class Person:
    """A patient of one hospital; `conditions` were there before the generated time began."""

    identifier: str
    authority: str
    family: str
    given: str
    middle: str
    birth_date: date
    sex: str
    street: str
    city: str
    region: str
    postal_code: str
    phone: str
    conditions: tuple[Condition, ...]

    def age(self, on: date) -> int:
        """Return the age in whole years on a day."""
        birthday = (self.birth_date.month, self.birth_date.day)
        return on.year - self.birth_date.year - ((on.month, on.day) < birthday)


@lru_cache(maxsize=4096)
def person(seed: int, number: int, authority: str, today: date) -> Person:
    """Return the patient of a number, as old as fits a hospital's mix on the day `today`.

    The seed stands in the identifier as well, so that two runs into one platform do not give one
    record number to two people.
    """
    rng = Random(seed * 1_000_003 + number)  # noqa: S311 - repeatable is what is wanted
    sex = "F" if rng.random() < _FEMALE else "M"
    age = rng.randint(*rng.choices(_AGES, _AGE_WEIGHTS)[0])
    birth = today - timedelta(days=1 + int((age + rng.random()) * 365.25))
    given = names.GIVEN_FEMALE if sex == "F" else names.GIVEN_MALE
    city, region, postal_code = rng.choice(names.PLACES)
    return Person(
        identifier=f"{seed % 10_000:04}{number:07}",
        authority=authority,
        family=rng.choice(names.FAMILY_STEMS) + rng.choice(names.FAMILY_ENDINGS),
        given=rng.choice(given),
        middle=rng.choice(given)[0] if rng.random() < _MIDDLE_NAME else "",
        birth_date=birth,
        sex=sex if rng.random() > _UNKNOWN_SEX else "U",
        street=f"{rng.randint(1, 240)} {rng.choice(names.STREETS)}",
        city=city,
        region=region,
        postal_code=postal_code,
        phone=f"(555)555-01{rng.randint(0, 99):02}",
        conditions=tuple(chronic(rng, age, sex)),
    )


def newborn(seed: int, number: int, authority: str, born: date) -> Person:
    """Return a child that is born on this day, in good health."""
    grown = person(seed, number, authority, born)
    return replace(grown, birth_date=born, conditions=(), middle="", given=f"Baby{grown.given}")


def duplicate(original: Person, number: int) -> Person:
    """Return the same patient as registered a second time, under another number."""
    return replace(original, identifier=f"{original.identifier[:4]}D{number:06}", middle="")
