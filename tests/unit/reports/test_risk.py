"""The section on risk: what is counted, by what, and what it was worth."""

from dataclasses import replace
from datetime import UTC, datetime

from reports import risk
from tasks.analytics.disclosure import disclose
from tasks.analytics.risk import disclosure
from tasks.analytics.risk.assessment import Saturated, Summary
from tasks.analytics.risk.validation import Tally, validate


NOW = datetime(2026, 11, 25, tzinfo=UTC)

SUMMARY = Summary(
    NOW,
    bands={"low": 600, "medium": 300, "high": 100},
    reasons={"deceased": 44, "birth date unknown": 33},
    saturated=Saturated(20, 30, 40),
    unended=90,
    validation=validate([Tally(10, 50, 450), Tally(40, 40, 60), Tally(70, 20, 20)], NOW, 365),
)


def section(summary):
    """Write the section with what may be shown."""
    return risk.section(summary, disclose(disclosure.cells(summary)))


def test_the_section_says_how_many_by_what_and_what_for():
    """Counts, shares, formula, list and label."""
    text = section(SUMMARY)
    assert "Operational triage, not validated for clinical decisions." in text
    assert "0.4 * min(10 * conditions, 100)" in text
    assert "chronic-2026.1" in text
    assert "| low | 0 to below 30 | 600 | 60.0 % |" in text
    assert "| high | 60 to 100 | 100 | 10.0 % |" in text
    assert "| birth date unknown | 33 |" in text
    assert "| conditions at their cap | 30 | 3.0 % |" in text


def test_what_the_bands_came_to_is_shown_with_its_uncertainty():
    """Area with interval and source; 50 of 500 is 10 % (7.7 to 12.9 by Wilson)."""
    text = section(SUMMARY)
    assert f"**{SUMMARY.validation.discrimination.auc:.3f}** (95 % interval: " in text
    assert "DeLong 1988" in text
    assert "| low | 500 | 50 | 10.0 % | 7.7 % to 12.9 % |" in text
    assert "Warning" not in text


def test_bands_that_are_not_monotone_are_warned_of_on_the_page():
    """The high did better than the medium."""
    fallen = validate([Tally(10, 50, 450), Tally(40, 60, 40), Tally(70, 15, 85)], NOW, 365)
    assert "**Warning:** bands are not monotone" in section(replace(SUMMARY, validation=fallen))


def test_small_counts_and_what_would_tell_them_are_suppressed():
    """No rate, no interval and no area of a few."""
    few = replace(
        SUMMARY,
        bands={"low": 600, "medium": 300, "high": 4},
        validation=validate([Tally(10, 2, 498), Tally(40, 1, 99), Tally(70, 0, 40)], NOW, 365),
    )
    text = section(few)
    assert "| high | 60 to 100 | suppressed | - |" in text
    assert "| low | 500 | suppressed | - | - |" in text
    assert "The area under the curve is *suppressed*" in text


def test_a_platform_without_patients_has_a_section():
    """Zeros, and no validation."""
    bands = dict.fromkeys(("low", "medium", "high"), 0)
    text = section(Summary(NOW, bands, {}, Saturated(0, 0, 0), 0, validate([], NOW, 365)))
    assert "nothing is validated" in text
    assert "| low | 0 to below 30 | 0 | - |" in text
