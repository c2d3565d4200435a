"""The frames of the report: rows, shares and what is not known."""

from datetime import UTC, datetime

from tasks.analytics.risk import frames
from tasks.analytics.risk.assessment import Saturated, Summary
from tasks.analytics.risk.validation import Tally, validate


NOW = datetime(2026, 11, 25, tzinfo=UTC)

SUMMARY = Summary(
    NOW,
    bands={"low": 60, "medium": 30, "high": 10},
    reasons={"deceased": 4, "birth date unknown": 3},
    saturated=Saturated(1, 2, 3),
    unended=9,
    validation=validate([Tally(10, 5, 45), Tally(40, 5, 5)], NOW, 365),
)


def test_bands_stand_with_their_bounds_shares_and_rates():
    """A band that nobody was followed in has no rate, which is not a rate of zero."""
    frame = frames.bands(SUMMARY)
    assert frame.band.tolist() == ["low", "medium", "high"]
    assert frame.from_score.tolist() == [0, 30, 60]
    assert frame.to_score.tolist() == [30, 60, 100]
    assert frame.share.tolist() == [0.6, 0.3, 0.1]
    assert frame.rate.tolist()[:2] == [0.1, 0.5]
    assert frame.loc[2, ["rate", "rate_low", "rate_high"]].isna().all()
    assert frame.followed.tolist() == [50, 10, 0]


def test_an_empty_platform_has_bands_with_nobody_in_them():
    """No division by zero, and no missing row."""
    bands = dict.fromkeys(("low", "medium", "high"), 0)
    empty = Summary(NOW, bands, {}, Saturated(0, 0, 0), 0, validate([], NOW, 365))
    frame = frames.bands(empty)
    assert frame.patients.tolist() == [0, 0, 0]
    assert frame.share.tolist() == [0, 0, 0]
    assert frame.rate.isna().all()


def test_every_record_is_scored_or_has_a_reason():
    """The rows add up to all of them."""
    frame = frames.reasons(SUMMARY)
    assert dict(zip(frame.standing, frame.patients, strict=True)) == {
        "scored": 100,
        "birth date unknown": 3,
        "deceased": 4,
    }
    assert frame.patients.sum() == SUMMARY.records
