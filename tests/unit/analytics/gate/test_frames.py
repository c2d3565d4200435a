"""The frames of a report: each fault blocks publication, and tells no value of a row."""

import logging
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from tasks.analytics.gate.check import Check, Verdict, attempted, require
from tasks.analytics.gate.frames import check_frames
from tasks.analytics.gate.rules import ANY, COUNT, FrameRules, Volume
from tasks.control.errors import Corrupt, OpsError
from tests.unit.analytics.gate.report import NOW, RULES, frames


NEEDLE = "Featherstonehaugh"

NUMBER = 918273645


def checked(**changed):
    """Check the frames with some of them changed; return what did not pass."""
    checks = check_frames(frames() | changed, RULES, NOW)
    return {check.name: check for check in checks if check.outcome != "pass"}


def but(name, /, **columns):
    """Return a frame with other columns; `None` takes one away."""
    frame = frames()[name]
    for column, values in columns.items():
        frame = frame.drop(columns=column) if values is None else frame.assign(**{column: values})
    return {name: frame}


def test_frames_that_keep_their_rules_pass():
    """Every check ran, and the report may be published."""
    checks = check_frames(frames(), RULES, NOW)
    assert len(checks) == 4 + 11 + 12 + 6
    assert {check.outcome for check in checks} == {"pass"}
    require(checks)


OLD = frames()["hours"]["hour"] - timedelta(hours=3)

AHEAD = frames()["hours"]["hour"] + timedelta(hours=3)

FAULTS = {
    "a missing column": (but("sex", share=None), "sex: columns"),
    "an extra column": (but("sex", name=NEEDLE), "sex: columns"),
    "columns in another order": (
        {"sex": frames()["sex"][["patients", "sex", "share"]]},
        "sex: columns",
    ),
    "NaN": (but("hours", p95_ms=[1, 2, 3, 4, 5, float("nan")]), "hours: p95_ms is never null"),
    "None": (but("sex", sex=["F", None]), "sex: sex is never null"),
    "infinite": (but("ages", mean=[1.0, float("inf")]), "ages: mean is in its range"),
    "infinite among objects": (
        but("ages", mean=pd.Series([1.0, float("inf")], dtype=object)),
        "ages: mean is in its range",
    ),
    "negative": (but("hours", messages=[-1, 801, 400, 400, 400, 400]), "hours: messages is in its"),
    "out of range": (but("hours", p95_ms=float(NUMBER)), "hours: p95_ms is in its range"),
    "another value": (but("sex", sex=["F", NEEDLE]), "sex: sex is one of its values"),
    "shares of 0.98": (but("sex", share=[0.6, 0.38]), "sex: share sums to one"),
    "a total of another frame": (but("sex", patients=[120, 81]), "sex: patients adds up"),
    "a total that is given": (but("hours", messages=401), "hours: messages adds up"),
    "stale": (but("hours", hour=OLD), "hours: hour is fresh"),
    "from the future": (but("hours", hour=AHEAD), "hours: hour is fresh"),
    "a key twice": (but("sex", sex=["F", "F"]), "sex: sex is unique"),
    "a key of two columns twice": (but("hours", type="ADT"), "hours: hour, type is unique"),
    "too few rows": ({"headline": frames()["headline"].iloc[:0]}, "headline: rows"),
    "too many rows": ({"headline": frames()["ages"][["patients"]]}, "headline: rows"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_frame_blocks_the_report(fault, caplog):
    """The check of that name fails; neither it, nor the log, nor the error tells a value."""
    caplog.set_level(logging.DEBUG)
    changed, name = FAULTS[fault]
    found = checked(**changed)
    assert [check.outcome for title, check in found.items() if title.startswith(name)] == ["fail"]
    with pytest.raises(Corrupt) as raised:
        require(found.values())
    for text in (repr(found), caplog.text, str(raised.value)):
        assert NEEDLE not in text
        assert str(NUMBER) not in text


def test_a_missing_column_is_named_and_its_checks_are_errors():
    """What could not be looked at did neither pass nor fail."""
    found = checked(**but("sex", share=None))
    assert (found["sex: columns"].outcome, found["sex: columns"].seen) == (
        "fail",
        "missing: share",
    )
    for name in ("sex: share is never null", "sex: share is in its range"):
        assert (found[name].outcome, found[name].seen) == ("error", "column share is missing")


def test_a_check_that_raises_is_an_error(caplog):
    """Text in a column of numbers cannot be compared; no text is told, and nothing is published."""
    caplog.set_level(logging.DEBUG)
    found = checked(**but("sex", patients=[NEEDLE, "80"]))
    assert found["sex: patients is in its range"].outcome == "error"
    assert found["sex: patients is in its range"].seen == "the check could not run"
    with pytest.raises(OpsError) as raised:
        require([found["sex: patients is in its range"]])
    assert not isinstance(raised.value, Corrupt)
    assert NEEDLE not in repr(found) + caplog.text + str(raised.value)


def test_a_total_that_is_not_there_is_an_error():
    """Nothing adds up to nothing."""
    found = checked(**but("headline", patients=None))
    assert found["sex: patients adds up"].outcome == "error"


def test_a_total_that_is_not_a_number_is_an_error():
    """A column of text has no sum, and its text is not told."""
    found = checked(**but("headline", patients=[NEEDLE]))
    assert found["sex: patients adds up"].outcome == "error"
    assert NEEDLE not in repr(found)


TWICE = pd.concat([frames()["headline"]] * 2, axis=1)

BROKEN = {
    "a total that stands twice": (
        {"headline": TWICE.assign(name=NEEDLE)},
        RULES,
        "sex can be checked",
    ),
    "no frame under its name": ({"sex": None}, RULES, "sex can be checked"),
    "a factor of nothing": (
        {},
        RULES | {"hours": replace(RULES["hours"], volume={"messages": Volume(NUMBER, 0)})},
        "hours can be checked",
    ),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_frame_that_cannot_be_checked_is_an_error_and_the_others_are_checked(broken, caplog):
    """It is named, so that it can be found; it is no pass, and what was raised is not told."""
    caplog.set_level(logging.DEBUG)
    changed, rules, name = BROKEN[broken]
    checks = check_frames(frames() | changed, rules, NOW)
    found = {check.name: check for check in checks}
    assert found[name].outcome == "error"
    assert found["ages: columns"].outcome == "pass"
    with pytest.raises(OpsError) as raised:
        require([found[name]])
    assert not isinstance(raised.value, Corrupt)
    for text in (repr(checks), caplog.text, str(raised.value)):
        assert NEEDLE not in text
        assert str(NUMBER) not in text


def test_a_column_of_nothing_and_numbers_among_objects_passes():
    """Pandas keeps numbers beside `None` as objects; none of them is infinite."""
    assert checked(**but("ages", mean=pd.Series([9.5, None], dtype=object))) == {}


def test_checks_found_before_one_raises_are_kept():
    """A failure is told although the next check broke."""

    def ask():
        yield Check("first", "fail")
        raise RuntimeError(NEEDLE)

    found = attempted("all can be checked", ask)
    assert [(check.name, check.outcome) for check in found] == [
        ("first", "fail"),
        ("all can be checked", "error"),
    ]
    assert found[1].seen == "checking raised RuntimeError"


def test_a_volume_far_from_the_period_before_warns_and_does_not_block():
    """A holiday is no fault of the report."""
    rules = {"hours": FrameRules(RULES["hours"].columns, volume=RULES["hours"].volume)}
    changed = but("hours", messages=50)
    checks = check_frames(changed, rules, NOW)
    verdict = Verdict(tuple(checks))
    assert [check.name for check in verdict.warnings] == [
        "hours: messages is near the period before"
    ]
    assert not verdict.is_blocked
    require(checks)


@pytest.mark.parametrize("missing", ["a frame", "its rules"])
def test_a_frame_without_rules_and_rules_without_a_frame_are_errors(missing):
    """Nothing is known of either."""
    given, rules = frames(), dict(RULES)
    (given if missing == "a frame" else rules).pop("ages")
    found = [check for check in check_frames(given, rules, NOW) if check.outcome != "pass"]
    assert [(check.name, check.outcome) for check in found] == [("ages is there", "error")]


def test_a_frame_that_may_be_empty_has_no_shares_to_sum():
    """No rows are no fault where the rules allow it."""
    rules = FrameRules({"kind": ANY, "share": COUNT}, shares=("share",), rows=(0, None))
    frame = frames()["sex"][["sex", "share"]].iloc[:0].rename(columns={"sex": "kind"})
    assert {each.outcome for each in check_frames({"x": frame}, {"x": rules}, NOW)} == {"pass"}


def test_no_checks_are_no_proof():
    """A report of which nothing was looked at is not published."""
    with pytest.raises(OpsError, match="no check ran"):
        require([])
