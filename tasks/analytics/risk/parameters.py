"""What the statements of the score are given: lists, weights and thresholds as arrays."""

from datetime import datetime
from typing import Any

from tasks.analytics.batches import LEAST, MOST
from tasks.analytics.risk import charlson, chronic, coding, lace, score


UNENDED_DAYS = 365
"""An order without an end goes on, as the contract says; those older than this are told apart."""


def parameters(as_of: datetime, first: int = LEAST, last: int = MOST) -> dict[str, Any]:
    """Return what the statements are given: the moment, the keys from and to, lists and weights."""
    return {
        "as_of": as_of,
        "first": first,
        "last": last,
        "merged": score.MERGED,
        "list_version": chronic.VERSION,
        "unended_days": UNENDED_DAYS,
        **_of_codes(),
        **_of_charlson(),
        **_of_lace(),
        "age_weight": score.AGE_WEIGHT,
        "condition_weight": score.CONDITION_WEIGHT,
        "medication_weight": score.MEDICATION_WEIGHT,
        "points_a_condition": score.POINTS_A_CONDITION,
        "points_a_medication": score.POINTS_A_MEDICATION,
        "cap": score.CAP,
        "bands": list(score.BANDS),
        "thresholds": list(score.THRESHOLDS),
    }


def _of_codes() -> dict[str, Any]:
    rows = [
        (bit, kind, code)
        for bit, group in enumerate(chronic.GROUPS)
        for kind, codes in (("icd10", group.icd10), ("snomed", group.snomed))
        for code in codes
    ]
    bits, kinds, codes = zip(*rows, strict=True)
    return {
        "chronic_bits": list(bits),
        "chronic_kinds": list(kinds),
        "chronic_codes": list(codes),
        "icd10_systems": list(coding.SYSTEMS["icd10"]),
        "snomed_systems": list(coding.SYSTEMS["snomed"]),
        "icd10_shape": coding.SHAPES["icd10"],
        "snomed_shape": coding.SHAPES["snomed"],
        "vaccines": list(coding.VACCINES),
    }


def _of_charlson() -> dict[str, Any]:
    known = charlson.CATEGORIES
    bit_of = {category.name: bit for bit, category in enumerate(known)}
    rows = [(bit_of[category.name], code) for category in known for code in category.icd10]
    bits, codes = zip(*rows, strict=True)
    trumps = [1 << bit_of[each.trumped_by] if each.trumped_by else 0 for each in known]
    return {
        "charlson_bits": list(bits),
        "charlson_codes": list(codes),
        "charlson_order": list(bit_of.values()),
        "charlson_weights": [category.weight for category in known],
        "charlson_trumps": trumps,
    }


def _of_lace() -> dict[str, Any]:
    return {
        "lengths": list(lace.LENGTHS),
        "length_points": list(lace.LENGTH_POINTS),
        "acute_points": lace.ACUTE_POINTS,
        "comorbidity_points": list(lace.COMORBIDITY_POINTS),
        "most_comorbidity": len(lace.COMORBIDITY_POINTS) - 1,
        "most_visits": lace.MOST_VISITS,
        "visit_months": lace.VISIT_MONTHS,
        "acute_hours": lace.ACUTE_HOURS,
    }
