"""What the statements read and write: the contract's views, and one table."""

import re

from tasks.analytics.risk import scores, statements
from tasks.analytics.risk.score import AGE_WEIGHT, CAP, CONDITION_WEIGHT, MEDICATION_WEIGHT
from tasks.analytics.risk.score import THRESHOLDS as BOUNDS


READING = (statements.READ, statements.SUMMARY, statements.HISTOGRAM)

NAMED = re.compile(r"\b(?:from|join|into|update)\s+(\w+\.\w+)")


def test_reports_read_views_of_the_contract_only():
    """Another platform has these, and no table of ours."""
    found = {name for text in READING for name in NAMED.findall(text)}
    assert found == {f"hl7_contract.{view}" for view in scores.VIEWS}


def test_scores_are_kept_in_one_table():
    """What is written goes to the schema of analytics."""
    found = set(NAMED.findall(statements.REFRESH)) - set(NAMED.findall(statements.READ))
    assert found == {"hl7_analytics.risk_scores"}


def test_one_part_at_its_cap_is_enough_for_the_medium_band():
    """The report's sums rest on it: nobody of the low band is saturated."""
    for weight in (AGE_WEIGHT, CONDITION_WEIGHT, MEDICATION_WEIGHT):
        assert weight * CAP / 10 >= BOUNDS[0]
