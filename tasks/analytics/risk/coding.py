"""Coding systems: which of the many spellings of a system mean ICD-10 and which SNOMED CT."""

import re
from typing import Literal


Kind = Literal["icd10", "snomed"]

_NOT_PLAIN = re.compile(r"[^A-Z0-9]")


def plain(text: str) -> str:
    """Return capital letters and digits only: `I10.9` is `I109`, `ICD-10-CM` is `ICD10CM`."""
    return _NOT_PLAIN.sub("", text.upper())


SYSTEMS: dict[Kind, tuple[str, ...]] = {
    "icd10": tuple(
        plain(each)
        for each in (
            "I10",
            "I10C",
            "IC10",
            "ICD10",
            "ICD-10-CM",
            "http://hl7.org/fhir/sid/icd-10",
            "http://hl7.org/fhir/sid/icd-10-cm",
            "2.16.840.1.113883.6.3",
            "2.16.840.1.113883.6.90",
        )
    ),
    "snomed": tuple(
        plain(each)
        for each in (
            "SCT",
            "SCT2",
            "SNM",
            "SNOMED",
            "SNOMED-CT",
            "http://snomed.info/sct",
            "2.16.840.1.113883.6.96",
        )
    ),
}
"""Names of HL7 table 0396, those that senders write instead, FHIR's addresses and HL7's OIDs."""

SHAPES: dict[Kind, str] = {
    "icd10": r"^[A-Z][0-9][0-9A-Z][.]?[0-9A-Z]{0,4}$",
    "snomed": r"^[0-9]{6,18}$",
}
"""How codes look, to tell them where the sender names no system; both engines read it alike."""

VACCINES = ("CVX", "HTTP://HL7.ORG/FHIR/SID/CVX", "2.16.840.1.113883.12.292")
"""Systems of vaccines, in capitals: given once, so no medication that goes on."""


def kind(coding_system: str, code: str) -> Kind | None:
    """Tell what a code is; without a system its shape decides, and None means neither of both."""
    system, text = plain(coding_system), code.strip().upper()
    for each, names in SYSTEMS.items():
        if system in names or (not system and re.match(SHAPES[each], text)):
            return each
    return None


def expanded(ranges: str) -> tuple[str, ...]:
    """Return the prefixes that ICD-10 codes begin with: `I10-I12 K72.1` is I10, I11, I12, K721."""
    found: list[str] = []
    for each in ranges.split():
        first, _, last = each.partition("-")
        if last:
            numbers = range(int(first[1:]), int(last[1:]) + 1)
            found += [f"{first[0]}{number:02}" for number in numbers]
        else:
            found.append(plain(first))
    return tuple(found)
