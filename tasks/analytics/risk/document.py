"""One patient's assessment as a document: what the command line and an API say of it.

There is no name, no identifier, no date of the patient and no diagnosis in it. Ages of 90 and more
are told as 90; the points of such an age still tell it, since a score shows how it came about.
"""

from typing import Any

from tasks.analytics.risk import charlson, chronic, lace, score
from tasks.analytics.risk.assessment import Assessment


OLDEST = 90
"""Ages from here on are shown together, as HIPAA's Safe Harbor has it (45 CFR 164.514)."""

EARLY_DAYS = 30
"""What LACE speaks of: the days after a discharge (van Walraven et al., CMAJ 2010;182:551)."""


def document(found: Assessment) -> dict[str, Any]:
    """Return the score with its parts and how it is counted, and Charlson and LACE beside it.

    `score` and `band` are None where `reason` says why; the same holds for `charlson` and `lace`.
    """
    scored = found.score
    return {
        "patient_id": found.patient_id,
        "as_of": found.as_of,
        "score": scored.score if scored else None,
        "band": scored.band if scored else None,
        "reason": found.reason,
        "components": _components(found),
        "unended_medications": found.unended,
        "formula": score.FORMULA,
        "rule": score.RULE,
        "list_version": chronic.VERSION,
        "bands": dict(zip(score.BANDS, (0, *score.THRESHOLDS), strict=True)),
        "ages_pooled_from": OLDEST,
        "label": score.LABEL,
        "charlson": {
            "index": found.charlson,
            "with_age": found.charlson_with_age,
            "reason": charlson.NO_DIAGNOSIS if found.charlson is None else None,
            "version": charlson.VERSION,
        },
        "lace": _lace(found),
    }


def _components(found: Assessment) -> dict[str, dict[str, Any]]:
    """Return what was counted of each part, its points, and the most it can give."""
    made = found.score
    points = (
        (made.age_points, made.condition_points, made.medication_points) if made else (None,) * 3
    )
    age = None if found.age is None else min(found.age, OLDEST)
    counts = {"age": age, "conditions": found.conditions, "medications": found.medications}
    weights = (score.AGE_WEIGHT, score.CONDITION_WEIGHT, score.MEDICATION_WEIGHT)
    return {
        name: {"value": value, "points": given, "at_most": weight * score.CAP / 10}
        for (name, value), given, weight in zip(counts.items(), points, weights, strict=True)
    }


def _lace(found: Assessment) -> dict[str, Any]:
    """Return LACE with its points, and whether its 30 days still run."""
    known, stay = found.lace, found.stay
    return {
        "score": known.score if known else None,
        "is_high": known.is_high if known else None,
        "length": known.length if known else None,
        "acute": known.acute if known else None,
        "comorbidity": known.comorbidity if known else None,
        "emergency": known.emergency if known else None,
        "is_early": (found.as_of - stay.discharged_at).days < EARLY_DAYS if stay else None,
        "reason": found.lace_reason,
        "high_from": lace.HIGH,
        "rule": lace.RULE,
    }
