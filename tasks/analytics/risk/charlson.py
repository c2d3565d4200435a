"""The Charlson index: 17 categories by ICD-10 codes, with the weights of 1987.

Weights: Charlson et al., J Chronic Dis 1987;40:373. Codes: Quan et al., Medical Care 2005;43:1130
(table 1, ICD-10). Age: Charlson et al., J Clin Epidemiol 1994;47:1245.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from tasks.analytics.risk import coding


VERSION = "Charlson 1987, Quan 2005"

NO_DIAGNOSIS = "no diagnosis is recorded in ICD-10"
"""Why there is no index: no record is not the same as no disease."""

AGES = (50, 60, 70, 80)
"""From each of these years on, one point more; four at most."""


@dataclass(frozen=True)
class Category:
    """One category; one that is `trumped_by` another counts nothing beside it."""

    name: str
    weight: int
    icd10: tuple[str, ...]
    trumped_by: str | None = None


def _category(name: str, weight: int, icd10: str, trumped_by: str | None = None) -> Category:
    return Category(name, weight, coding.expanded(icd10), trumped_by)


CATEGORIES = (
    _category("myocardial infarction", 1, "I21-I22 I25.2"),
    _category(
        "congestive heart failure",
        1,
        "I09.9 I11.0 I13.0 I13.2 I25.5 I42.0 I42.5 I42.6 I42.7 I42.8 I42.9 I43 I50 P29.0",
    ),
    _category(
        "peripheral vascular disease",
        1,
        "I70-I71 I73.1 I73.8 I73.9 I77.1 I79.0 I79.2 K55.1 K55.8 K55.9 Z95.8 Z95.9",
    ),
    _category("cerebrovascular disease", 1, "G45-G46 H34.0 I60-I69"),
    _category("dementia", 1, "F00-F03 F05.1 G30 G31.1"),
    _category("chronic pulmonary disease", 1, "I27.8 I27.9 J40-J47 J60-J67 J68.4 J70.1 J70.3"),
    _category("rheumatic disease", 1, "M05-M06 M31.5 M32-M34 M35.1 M35.3 M36.0"),
    _category("peptic ulcer disease", 1, "K25-K28"),
    _category(
        "mild liver disease",
        1,
        "B18 K70.0 K70.1 K70.2 K70.3 K70.9 K71.3 K71.4 K71.5 K71.7 K73-K74 K76.0 K76.2 K76.3"
        " K76.4 K76.8 K76.9 Z94.4",
        trumped_by="moderate or severe liver disease",
    ),
    _category(
        "diabetes without complication",
        1,
        "E10.0 E10.1 E10.6 E10.8 E10.9 E11.0 E11.1 E11.6 E11.8 E11.9 E12.0 E12.1 E12.6 E12.8"
        " E12.9 E13.0 E13.1 E13.6 E13.8 E13.9 E14.0 E14.1 E14.6 E14.8 E14.9",
        trumped_by="diabetes with complication",
    ),
    _category(
        "diabetes with complication",
        2,
        "E10.2 E10.3 E10.4 E10.5 E10.7 E11.2 E11.3 E11.4 E11.5 E11.7 E12.2 E12.3 E12.4 E12.5"
        " E12.7 E13.2 E13.3 E13.4 E13.5 E13.7 E14.2 E14.3 E14.4 E14.5 E14.7",
    ),
    _category(
        "hemiplegia or paraplegia",
        2,
        "G04.1 G11.4 G80.1 G80.2 G81-G82 G83.0 G83.1 G83.2 G83.3 G83.4 G83.9",
    ),
    _category(
        "renal disease",
        2,
        "I12.0 I13.1 N03.2 N03.3 N03.4 N03.5 N03.6 N03.7 N05.2 N05.3 N05.4 N05.5 N05.6 N05.7"
        " N18-N19 N25.0 Z49.0 Z49.1 Z49.2 Z94.0 Z99.2",
    ),
    _category(
        "malignancy",
        2,
        "C00-C26 C30-C34 C37-C41 C43 C45-C58 C60-C76 C81-C85 C88 C90-C97",
        trumped_by="metastatic solid tumour",
    ),
    _category(
        "moderate or severe liver disease",
        3,
        "I85.0 I85.9 I86.4 I98.2 K70.4 K71.1 K72.1 K72.9 K76.5 K76.6 K76.7",
    ),
    _category("metastatic solid tumour", 6, "C77-C80"),
    _category("AIDS", 6, "B20-B22 B24"),
)


def categories(codes: Iterable[str]) -> frozenset[str]:
    """Return the categories that ICD-10 codes fall into, with or without their points."""
    plain = [coding.plain(code) for code in codes]
    return frozenset(
        each.name for each in CATEGORIES if any(code.startswith(each.icd10) for code in plain)
    )


def index(found: Iterable[str]) -> int:
    """Return the index of the categories that were found: 0 to 29 points."""
    names = frozenset(found)
    return sum(
        each.weight for each in CATEGORIES if each.name in names and each.trumped_by not in names
    )


def with_age(points: int, age: int) -> int:
    """Return the index adjusted for age in whole years: a point a decade from 50 on, four at most.

    Source: Charlson et al., J Clin Epidemiol 1994;47:1245.
    """
    return points + bisect_right(AGES, age)
