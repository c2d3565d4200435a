"""The list of chronic conditions, and the systems that its codes are spelled in."""

from itertools import combinations

import pytest

from tasks.analytics.risk import chronic, coding


@pytest.mark.parametrize(
    ("system", "code", "name"),
    [
        ("I10", "I10", "hypertension"),
        ("I10", "I13.0", "hypertension"),
        ("I10C", "E11.65", "diabetes"),
        ("ICD10", "e119", "diabetes"),
        ("ICD-10-CM", "J45.909", "asthma"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "C50.911", "cancer"),
        ("2.16.840.1.113883.6.90", "C7A.00", "cancer"),
        ("", "N18.30", "chronic kidney disease"),
        ("SCT", "44054006", "diabetes"),
        ("http://snomed.info/sct", "59621000", "hypertension"),
        ("", "38341003", "hypertension"),
    ],
)
def test_a_chronic_condition_is_known_in_each_spelling(system, code, name):
    """By the names of HL7 table 0396, by addresses, by OIDs, and by the shape without a system."""
    assert chronic.group(system, code) == name


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("I10", "J06.9"),
        ("I10", "R07.9"),
        ("I10", "Z33.1"),
        ("I10", "C44.90"),
        ("I10", "D57.3"),
        ("I10", "R73.03"),
        ("SCT", "15777000"),
        ("SCT", "444814009"),
        ("SCT", "72892002"),
        ("SCT", "162573006"),
        ("SCT", "440540061"),
        ("I9", "E11.9"),
        ("L", "I10"),
        ("LN", "44054006"),
        ("", "HYPERTENSION"),
        ("", "I10 or so"),
        ("", ""),
    ],
)
def test_what_is_not_chronic_or_not_known_is_not_counted(system, code):
    """Infections, pregnancy, skin, a trait, prediabetes, suspicion; other systems; words."""
    assert chronic.group(system, code) is None


def test_no_code_belongs_to_two_conditions():
    """Else one code would count twice."""
    for one, other in combinations(chronic.GROUPS, 2):
        assert not set(one.snomed) & set(other.snomed)
        pairs = [(a, b) for a in one.icd10 for b in other.icd10]
        assert [(a, b) for a, b in pairs if a.startswith(b) or b.startswith(a)] == []


def test_all_conditions_fit_the_bits_of_a_number():
    """The database collects them in a bigint whose sign is not used."""
    assert len(chronic.GROUPS) <= 62
    assert len({each.name for each in chronic.GROUPS}) == len(chronic.GROUPS)


def test_codes_of_snomed_look_like_codes_of_snomed():
    """Each ends in its check digit by Verhoeff, so that a slip of a key is found."""
    codes = [code for each in chronic.GROUPS for code in each.snomed]
    assert [code for code in codes if not verhoeff(code)] == []
    assert not verhoeff("38341004")


def verhoeff(code):
    """Tell whether the last digit fits the others (ISO/IEC 7064's forerunner, Verhoeff 1969)."""
    turn = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
    check = 0
    for place, digit in enumerate(reversed(code)):
        number = int(digit)
        for _ in range(place % 8):
            number = turn[number]
        check = dihedral(check, number)
    return check == 0


def dihedral(a, b):
    """Multiply in the group of a pentagon's turns (0 to 4) and reflections (5 to 9)."""
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b) % 5
    return 5 + (a - b) % 5 if b < 5 else (a - b) % 5


def test_ranges_of_codes_are_written_out():
    """Both ends belong to a range; single codes lose their points."""
    assert coding.expanded("I10-I12 K72.1 C4A") == ("I10", "I11", "I12", "K721", "C4A")
