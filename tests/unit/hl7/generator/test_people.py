"""Generated patients, their diagnoses and what the laboratory finds."""

from datetime import date
from random import Random
from statistics import mean

import pytest

from tasks.hl7.generator import conditions, names, panels, people, systems


TODAY = date(2026, 11, 23)
MANY = [people.person(7, number, "HARBORSIDE", TODAY) for number in range(1, 3001)]


def rng(seed=1):
    """Return a repeatable source of chance."""
    return Random(seed)


def test_a_number_gives_the_same_person_each_time():
    """Nothing needs to be stored."""
    people.person.cache_clear()
    assert people.person(7, 42, "HARBORSIDE", TODAY) == MANY[41]


def test_identifiers_are_unique_within_a_seed_and_between_seeds():
    """Two runs into one platform do not mix people up."""
    assert len({person.identifier for person in MANY}) == 3000
    assert MANY[41].identifier == "00070000042"
    assert people.person(8, 42, "HARBORSIDE", TODAY).identifier == "00080000042"


def test_everybody_was_born_before_the_day_and_at_most_ninety_eight_years_ago():
    """Ages are plausible."""
    assert max(person.birth_date for person in MANY) < TODAY
    assert min(person.birth_date for person in MANY) > date(1928, 1, 1)


def test_the_mix_of_ages_is_that_of_a_hospital():
    """One in seven is a child, nearly half are sixty or older."""
    ages = [person.age(TODAY) for person in MANY]
    assert sum(age < 18 for age in ages) / 3000 == pytest.approx(0.14, abs=0.03)
    assert sum(age >= 60 for age in ages) / 3000 == pytest.approx(0.45, abs=0.03)


@pytest.mark.parametrize(
    ("on", "age"), [(date(2026, 3, 14), 25), (date(2026, 3, 15), 26), (date(2026, 3, 16), 26)]
)
def test_a_birthday_counts_on_the_day(on, age):
    """Whole years, as people count them."""
    somebody = people.newborn(7, 1, "HARBORSIDE", date(2000, 3, 15))
    assert somebody.age(on) == age


def test_a_newborn_is_born_on_the_day_without_diagnoses():
    """Whoever the number would have been otherwise."""
    child = people.newborn(7, 3, "HARBORSIDE", TODAY)
    assert child.birth_date == TODAY
    assert child.conditions == ()
    assert child.given.startswith("Baby")


def test_a_duplicate_differs_in_its_number():
    """Name and birth date are what the merge is found by."""
    twin = people.duplicate(MANY[0], 5)
    assert twin.identifier == "0007D000005"
    assert (twin.family, twin.birth_date) == (MANY[0].family, MANY[0].birth_date)


def test_chronic_diagnoses_befall_only_whom_they_can():
    """By age and sex of each."""
    wrong = [
        (person.identifier, condition.code)
        for person in MANY
        for condition in person.conditions
        if person.age(TODAY) < condition.from_age or person.sex not in f"{condition.sexes}U"
    ]
    assert wrong == []


def test_the_old_have_more_diagnoses_than_the_young():
    """On average one to three above seventy, next to none below thirty."""
    old = mean(len(p.conditions) for p in MANY if p.age(TODAY) > 70)
    young = mean(len(p.conditions) for p in MANY if p.age(TODAY) < 30)
    assert 1 < old < 3
    assert young < 0.3


@pytest.mark.parametrize(("age", "sex"), [(0, "F"), (0, "M"), (40, "U"), (97, "M")])
def test_there_is_a_reason_to_come_at_every_age(age, sex):
    """The choice ends, and fits."""
    found = [conditions.acute(rng(), age, sex) for _ in range(50)]
    assert all(condition.can_befall(age, sex) for condition in found)


@pytest.mark.parametrize("age", range(0, 98, 7))
def test_there_is_a_vaccine_at_every_age(age):
    """Its code is one of CVX."""
    code, name = conditions.vaccine(rng(), age)
    assert code.isdigit()
    assert name


def test_every_condition_names_a_panel_that_exists():
    """An order cannot be for what the laboratory does not know."""
    known = (*conditions.CHRONIC, *conditions.ACUTE, conditions.NEWBORN)
    assert {condition.panel for condition in known} <= set(panels.PANELS)


def test_diabetes_raises_glucose():
    """The mean lies far above the range for diabetics, and within it for others."""

    def average(reason):
        source = rng()
        healthy = people.newborn(7, 1, "HARBORSIDE", TODAY)
        found = [panels.measure(source, "diabetes", healthy, reason)[0] for _ in range(300)]
        return mean(float(measured.value) for measured in found)

    assert average("J06.9") == pytest.approx(84.5, abs=2)
    assert average("E11.9") == pytest.approx(146.5, abs=2)


@pytest.mark.parametrize(
    ("value", "flag"),
    [(52, "LL"), (53, "L"), (69, "L"), (70, "N"), (99, "N"), (100, "H"), (116, "H"), (117, "HH")],
)
def test_flags_follow_the_reference_range(value, flag):
    """Glucose is normal from 70 to 99 mg/dL; 0.6 of that width beyond it is far outside."""
    glucose = panels.Analyte("2345-7", "Glucose", "mg/dL", 70, 99)
    assert panels.flag(glucose, value) == flag


def test_a_healthy_value_is_rarely_outside_its_range():
    """About one in twenty, as ranges are defined."""
    healthy = people.newborn(7, 1, "HARBORSIDE", TODAY)
    source = rng()
    found = [panels.measure(source, "blood", healthy, "J06.9")[0] for _ in range(4000)]
    assert sum(m.flag != "N" for m in found) / 4000 == pytest.approx(0.04, abs=0.015)


@pytest.mark.parametrize(
    ("text", "plain"), [("Zéro", "Zero"), ("Übungsström", "Ubungsstrom"), ("Probe", "Probe")]
)
def test_accents_are_dropped_for_systems_without_them(text, plain):
    """A letter stays a letter."""
    assert names.plain(text) == plain


def test_every_name_can_be_written_in_latin_1():
    """Two systems know no other character set."""
    every = (*names.FAMILY_STEMS, *names.FAMILY_ENDINGS, *names.GIVEN_FEMALE, *names.GIVEN_MALE)
    assert b"".join(name.encode("latin-1") for name in every)


def test_half_of_the_patients_are_harborsides():
    """Three tenths are Northgate's, two tenths Meadow's."""
    homes = [systems.home(number).facility for number in range(100)]
    assert [homes.count(name) for name in ("HARBORSIDE", "NORTHGATE", "MEADOW")] == [50, 30, 20]
